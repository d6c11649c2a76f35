"""The official clients of OpenAI's and Ollama's APIs, and LangChain's, against a peer: what they send
must be understood, and what they read must be there. One line for each check; exits 1 where one fails.
Arguments: the peer's address, a model that continues text, one with a chat template, one that makes
vectors of texts."""

import json
import sys
import threading
import time
import urllib.request

import langchain_openai
import ollama
import openai

base, model, chatty, embedder = sys.argv[1:5]
client = openai.OpenAI(base_url=f"{base}/v1", api_key="none", max_retries=0)
other = ollama.Client(host=base)
failures = 0
story = {"model": model, "prompt": "Once upon a time", "max_tokens": 12, "temperature": 0}


def check(name):
    def run(body):
        global failures
        try:
            said = body()
            print(f"ok    {name}" + (f": {said}" if said else ""))
        except Exception as error:  # Every failure is a line; the next check runs.
            failures += 1
            print(f"FAIL  {name}: {type(error).__name__}: {error}")
    return run


def metric(name):
    with urllib.request.urlopen(f"{base}/metrics") as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
    raise KeyError(name)


@check("openai: models")
def _():
    names = [one.id for one in client.models.list()]
    assert model in names, names
    return names


@check("openai: a completion is the same each time at temperature 0")
def _():
    first, second = (client.completions.create(**story) for _ in range(2))
    assert first.choices[0].text == second.choices[0].text
    assert first.usage.completion_tokens == 12 and first.choices[0].finish_reason == "length"
    return repr(first.choices[0].text)


@check("openai: a stream has the same text and the usage")
def _():
    whole = client.completions.create(**story).choices[0].text
    text, usage = "", None
    for event in client.completions.create(
            **story, stream=True, stream_options={"include_usage": True}):
        text += "".join(choice.text for choice in event.choices)
        usage = event.usage or usage
    assert text == whole and usage.completion_tokens == 12, (text, usage)


@check("openai: the same seed gives the same text, n choices differ")
def _():
    asked = {**story, "temperature": 1.2, "seed": 5, "n": 3}
    first, second = (client.completions.create(**asked) for _ in range(2))
    texts = [choice.text for choice in first.choices]
    assert texts == [choice.text for choice in second.choices]
    assert len(set(texts)) == 3, texts


@check("openai: logprobs are those of the best tokens")
def _():
    answer = client.completions.create(**story, logprobs=3)
    found = answer.choices[0].logprobs
    assert len(found.tokens) == 12 and "".join(found.tokens) == answer.choices[0].text
    for own, top in zip(found.token_logprobs, found.top_logprobs):
        assert own <= 0 and abs(max(top.values()) - own) < 1e-9, (own, top)
    return f"{found.tokens[0]!r} {found.token_logprobs[0]:.4f}"


@check("openai: a bias bans a token, a stop string ends the text, penalties change it")
def _():
    plain = client.completions.create(**story).choices[0].text
    stop = plain.split()[2]
    stopped = client.completions.create(**story, stop=[stop])
    assert stopped.choices[0].finish_reason == "stop"
    assert stopped.choices[0].text == plain[: plain.index(stop)]
    again = client.completions.create(**{**story, "max_tokens": 60}, frequency_penalty=2.0)
    assert again.choices[0].text != client.completions.create(**{**story, "max_tokens": 60}).choices[0].text


@check("openai: a schema holds the answer")
def _():
    # The demo model knows no chat, so that the form is asked for where text is continued.
    schema = {"type": "object", "properties": {
        "name": {"type": "string", "maxLength": 12},
        "mood": {"enum": ["good", "bad"]}, "age": {"type": "integer"}},
        "required": ["name", "mood", "age"]}
    answer = other.generate(
        model=model, prompt="Once", raw=True, format=schema,
        options={"num_predict": 200, "temperature": 0})
    value = json.loads(answer.response)
    assert value["mood"] in ("good", "bad") and isinstance(value["age"], int), value
    return answer.response


@check("openai: a chat answers, and streams the same")
def _():
    asked = dict(model=chatty, max_tokens=16, temperature=0, messages=[
        {"role": "system", "content": "A story about a hen."},
        {"role": "user", "content": "Once upon a time"}])
    whole = client.chat.completions.create(**asked)
    assert whole.choices[0].message.role == "assistant" and whole.usage.completion_tokens == 16
    pieces = client.chat.completions.create(**asked, stream=True)
    text = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    assert text == whole.choices[0].message.content, text
    return repr(text)


@check("openai: the next turn of a chat is read from where the last one ended, and says the same")
def _():
    turns = [{"role": "user", "content": "Once upon a time there was a little hen. " * 4}]
    asked = dict(model=chatty, max_tokens=16, temperature=0)
    first = client.chat.completions.create(**asked, messages=turns, user="chat")
    turns += [{"role": "assistant", "content": first.choices[0].message.content},
              {"role": "user", "content": "And then?"}]
    second = client.chat.completions.create(**asked, messages=turns, user="chat")
    stranger = client.chat.completions.create(**asked, messages=turns, user="somebody else")
    cached = second.usage.prompt_tokens_details.cached_tokens
    assert stranger.usage.prompt_tokens_details.cached_tokens == 0
    assert second.choices[0].message.content == stranger.choices[0].message.content
    assert cached >= first.usage.prompt_tokens, (cached, first.usage)
    return f"{cached} of {second.usage.prompt_tokens} tokens were there"


@check("openai: texts become vectors of length 1, alike where they mean alike")
def _():
    texts = ["A hen crosses the road.", "A chicken walks over the street.", "Interest rates rose."]
    answer = client.embeddings.create(model=embedder, input=texts)
    one, two, three = (item.embedding for item in answer.data)
    product = lambda a, b: sum(x * y for x, y in zip(a, b))
    assert abs(product(one, one) - 1) < 1e-4 and product(one, two) > 2 * product(one, three)
    return f"{len(one)} numbers; {product(one, two):.2f} and {product(one, three):.2f}"


@check("openai: errors have their classes")
def _():
    cases = [
        (openai.NotFoundError, lambda: client.completions.create(model="nothing", prompt="a")),
        (openai.BadRequestError, lambda: client.completions.create(**{**story, "temperature": -1})),
        (openai.BadRequestError, lambda: client.completions.create(**{**story, "max_tokens": 10**6})),
        (openai.BadRequestError, lambda: client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "hello"}])),
    ]
    said = []
    for kind, call in cases:
        try:
            call()
            raise AssertionError(f"no {kind.__name__}")
        except kind as error:
            said.append(error.body["message"])
    return said


@check("openai: a stream that is closed ends its job")
def _():
    stream = client.completions.create(**{**story, "max_tokens": 400, "temperature": 1}, stream=True)
    next(iter(stream))
    stream.close()
    deadline = time.monotonic() + 10
    while metric("shoal_jobs_running") > 0:
        assert time.monotonic() < deadline, "the job runs on"
        time.sleep(0.05)


@check("openai: sixteen streams at once all end, in turns")
def _():
    texts, errors = [], []

    def run(index):
        try:
            asked = {**story, "seed": index, "user": f"user {index % 2}"}
            texts.append("".join(
                event.choices[0].text for event in client.completions.create(**asked, stream=True)
                if event.choices))
        except Exception as error:
            errors.append(error)
    threads = [threading.Thread(target=run, args=(index,)) for index in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    assert len(set(texts)) == 1, "temperature 0, whatever runs beside it"


@check("ollama: list, show and version")
def _():
    names = [one.model for one in other.list().models]
    assert model in names, names
    shown = other.show(model)
    assert shown.modelinfo["general.architecture"] == "llama", shown
    return shown.modelinfo


@check("ollama: generate, whole and streamed")
def _():
    options = {"num_predict": 12, "temperature": 0}
    whole = other.generate(model=model, prompt="Once upon a time", options=options)
    assert whole.done and whole.eval_count == 12
    pieces = list(other.generate(
        model=f"{model}:latest", prompt="Once upon a time", options=options, stream=True))
    assert "".join(piece.response for piece in pieces) == whole.response and pieces[-1].done
    assert whole.response == client.completions.create(**story).choices[0].text
    return repr(whole.response)


@check("ollama: chat and embed")
def _():
    asked = dict(model=chatty, messages=[{"role": "user", "content": "Once upon a time"}],
                 options={"num_predict": 12, "temperature": 0})
    whole = other.chat(**asked)
    pieces = list(other.chat(**asked, stream=True))
    assert whole.message.content == "".join(piece.message.content for piece in pieces)
    assert len(other.embed(model=embedder, input=["a hen", "a road"]).embeddings) == 2
    return repr(whole.message.content)


@check("langchain: a model is invoked, streams and embeds")
def _():
    chat = langchain_openai.ChatOpenAI(
        base_url=f"{base}/v1", api_key="none", model=chatty, temperature=0, max_tokens=12)
    whole = chat.invoke("Once upon a time")
    assert whole.content == "".join(piece.content for piece in chat.stream("Once upon a time"))
    assert whole.usage_metadata["output_tokens"] == 12, whole.usage_metadata
    # Texts, not tokens of OpenAI's own tokenizer.
    vectors = langchain_openai.OpenAIEmbeddings(
        base_url=f"{base}/v1", api_key="none", model=embedder, check_embedding_ctx_length=False)
    assert len(vectors.embed_query("a hen")) == len(vectors.embed_documents(["a", "b"])[1])
    return repr(whole.content)


@check("ollama: an error is a sentence with its status")
def _():
    try:
        other.generate(model="nothing", prompt="a")
        raise AssertionError("no error")
    except ollama.ResponseError as error:
        assert error.status_code == 404, error.status_code
        return error.error


sys.exit(1 if failures else 0)
