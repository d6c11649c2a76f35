# pragma version 0.4.3
# pragma evm-version cancun
"""
@title  Names of models: who publishes which manifest under which name.
@notice Without owner, fee or upgrade. A name belongs to its publisher, so names never clash; readers choose whose
        names they take. Each change names the revision that it replaces: one that comes late or twice fails.
        Unaudited.
"""

event ModelRegistered:
    modelId: indexed(bytes32)
    publisher: indexed(address)
    manifestHash: indexed(bytes32)
    revision: uint64
    name: String[96]
    uri: String[256]

event ModelUpdated:
    modelId: indexed(bytes32)
    publisher: indexed(address)
    manifestHash: indexed(bytes32)
    revision: uint64
    uri: String[256]

event ModelRetired:
    modelId: indexed(bytes32)
    publisher: indexed(address)
    revision: uint64

struct Record:
    publisher: address
    # Counts the changes from 1; 0: never registered.
    revision: uint64
    retired: bool
    manifestHash: bytes32

records: public(HashMap[bytes32, Record])


@internal
@pure
def _idOf(publisher: address, name: String[96]) -> bytes32:
    return keccak256(abi_encode(publisher, keccak256(name)))


@external
@pure
def idOf(publisher: address, name: String[96]) -> bytes32:
    return self._idOf(publisher, name)


@external
def register(name: String[96], manifestHash: bytes32, uri: String[256]) -> bytes32:
    assert len(name) > 0, "empty name"
    assert manifestHash != empty(bytes32), "empty hash"
    modelId: bytes32 = self._idOf(msg.sender, name)
    assert self.records[modelId].revision == 0, "name taken"
    self.records[modelId] = Record(
        publisher=msg.sender, revision=1, retired=False, manifestHash=manifestHash)
    log ModelRegistered(
        modelId=modelId, publisher=msg.sender, manifestHash=manifestHash, revision=1, name=name, uri=uri)
    return modelId


@internal
@view
def _current(modelId: bytes32, expectedRevision: uint64) -> Record:
    record: Record = self.records[modelId]
    assert record.publisher == msg.sender, "not publisher"
    assert record.revision == expectedRevision, "revision"
    return record


@external
def update(modelId: bytes32, expectedRevision: uint64, manifestHash: bytes32, uri: String[256]):
    """@notice A retired name may come back this way."""
    record: Record = self._current(modelId, expectedRevision)
    assert manifestHash != empty(bytes32), "empty hash"
    record.revision += 1
    record.retired = False
    record.manifestHash = manifestHash
    self.records[modelId] = record
    log ModelUpdated(
        modelId=modelId, publisher=msg.sender, manifestHash=manifestHash, revision=record.revision, uri=uri)


@external
def retire(modelId: bytes32, expectedRevision: uint64):
    record: Record = self._current(modelId, expectedRevision)
    assert not record.retired, "retired"
    record.revision += 1
    record.retired = True
    self.records[modelId] = record
    log ModelRetired(modelId=modelId, publisher=msg.sender, revision=record.revision)
