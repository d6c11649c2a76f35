# pragma version 0.4.3
# pragma evm-version cancun
"""
@title An ERC-20 for tests that can keep a fee from each transfer.
"""

balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
fee: immutable(uint256)


@deploy
def __init__(_fee: uint256):
    fee = _fee
    self.balanceOf[msg.sender] = 10**24


@internal
def _move(source: address, target: address, amount: uint256):
    self.balanceOf[source] -= amount
    self.balanceOf[target] += amount - fee


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    return True


@external
def transferFrom(source: address, to: address, amount: uint256) -> bool:
    self.allowance[source][msg.sender] -= amount
    self._move(source, to, amount)
    return True
