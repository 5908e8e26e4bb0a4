"""Where a base comes from: what is here, what the Hub gives, and what is refused before a byte."""

import json
import shutil
from pathlib import Path

import pytest
from huggingface_hub import snapshot_download

from tests.scripted_hub import COMMIT, ScriptedHub, served
from trainer.bases import find_base, refuse, refuse_files
from trainer.bundled import bundled_bases
from trainer.cache import Cache
from trainer.errors import ModelError
from trainer.hub import Fetched, Hub, Offer
from trainer.locks import Lock

HUB_ID = "owner/small-chat"
WEIGHTS = bytes(range(256)) * 4096  # a mebibyte
LLAMA = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
FILES = {
    "config.json": json.dumps(LLAMA).encode(),
    "model.safetensors": WEIGHTS,
    "tokenizer.json": b"{}",
    "chat_template.jinja": b"{{ messages }}",
    "README.md": b"# Small chat",
    "pytorch_model.bin": WEIGHTS,
    "original/consolidated.00.safetensors": WEIGHTS,
    "onnx/model.onnx": WEIGHTS,
}
USEFUL = {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"}


def hub_of(scripted: ScriptedHub, folder: Path) -> Hub:
    return Hub(scripted.url, Cache(folder / "hub"))


def fetch_all(hub: Hub, offer: Offer) -> Path:
    for _ in hub.fetch(offer):
        pass
    found = hub.cache.folder(HUB_ID)
    assert found is not None
    return found


def test_a_download_says_how_large_it_is_before_it_begins(tmp_path: Path) -> None:
    with served(ScriptedHub({HUB_ID: FILES})) as scripted:
        offer = hub_of(scripted, tmp_path).look_up(HUB_ID, refuse)
        assert {file.name for file in offer.files} == USEFUL
        assert offer.size == sum(len(FILES[name]) for name in USEFUL)
        assert (offer.here, offer.commit) == (0, COMMIT)
        assert scripted.weights_asked() == []
    assert not (tmp_path / "hub").exists()


def test_a_download_tells_how_far_it_is_and_every_program_finds_it(tmp_path: Path) -> None:
    with served(ScriptedHub({HUB_ID: FILES})) as scripted:
        hub = hub_of(scripted, tmp_path)
        offer = hub.look_up(HUB_ID, refuse)
        told = list(hub.fetch(offer))
        done = [said.done for said in told]
        assert done == sorted(done)
        assert (told[-1].done, told[-1].share) == (offer.size, 1.0)
        assert told[-1].seconds_left is None  # too quick for anybody to know
    found = hub.cache.folder(HUB_ID)
    assert found is not None
    assert {file.name for file in found.iterdir()} == USEFUL
    assert all((found / name).read_bytes() == FILES[name] for name in USEFUL)
    assert hub.cache.models() == [HUB_ID]
    theirs = snapshot_download(HUB_ID, cache_dir=hub.cache.root, local_files_only=True)
    assert Path(theirs) == found


def test_progress_says_how_far_how_fast_and_how_long_still() -> None:
    fetched = Fetched(done=150_000_000, size=270_000_000, speed=1.5e6)
    assert fetched.sentence == "150 of 270 MB, 1.5 MB/s, 80 s left"
    assert Fetched(0, 270_000_000, 0.0).sentence == "0 of 270 MB"


def test_a_download_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    with served(ScriptedHub({HUB_ID: FILES})) as scripted:
        hub = hub_of(scripted, tmp_path)
        offer = hub.look_up(HUB_ID, refuse)
        seen: list[None] = []

        def enough() -> bool:
            blob = next(file.etag for file in offer.files if file.name == "model.safetensors")
            part = hub.cache.kept(HUB_ID) / "blobs" / f"{blob}.part"
            seen.append(None)
            return part.exists()

        list(hub.fetch(offer, enough))
        assert hub.cache.folder(HUB_ID) is None
        again = hub.look_up(HUB_ID, refuse)
        assert 0 < again.here < again.size
        scripted.asked.clear()
        found = fetch_all(hub, again)
        (asked,) = scripted.weights_asked()
        assert asked is not None
        assert int(asked.removeprefix("bytes=").rstrip("-")) > 0
    assert (found / "model.safetensors").read_bytes() == WEIGHTS


def test_a_broken_line_is_taken_up_again(tmp_path: Path) -> None:
    with served(ScriptedHub({HUB_ID: FILES}, breaks=600_000)) as scripted:
        hub = hub_of(scripted, tmp_path)
        found = fetch_all(hub, hub.look_up(HUB_ID, refuse))
        first, second = scripted.weights_asked()
    assert first == "bytes=0-"
    assert second is not None
    assert second != first
    assert (found / "model.safetensors").read_bytes() == WEIGHTS


def test_what_arrives_damaged_is_thrown_away(tmp_path: Path) -> None:
    with served(ScriptedHub({HUB_ID: FILES}, damage=True)) as scripted:
        hub = hub_of(scripted, tmp_path)
        with pytest.raises(
            ModelError, match=r"model\.safetensors of 'owner/small-chat' arrived dam"
        ):
            fetch_all(hub, hub.look_up(HUB_ID, refuse))
        assert hub.cache.folder(HUB_ID) is None
        scripted.damage = False
        found = fetch_all(hub, hub.look_up(HUB_ID, refuse))
    assert (found / "model.safetensors").read_bytes() == WEIGHTS


def without(*names: str, **added: bytes) -> dict[str, bytes]:
    return {name: body for name, body in FILES.items() if name not in names} | added


def configured(**changed: object) -> dict[str, bytes]:
    return FILES | {"config.json": json.dumps(LLAMA | changed).encode()}


REFUSED = {
    "pickled": (without("model.safetensors"), "its weights are in pytorch_model.bin, a format"),
    "GGUF": ({"small.gguf": WEIGHTS, "README.md": b""}, "it comes as GGUF alone"),
    "an adapter": (
        {"adapter_config.json": b"{}", "adapter_model.safetensors": WEIGHTS},
        "it is an adapter, not a base",
    ),
    "nothing": ({"README.md": b""}, "it has no weights in safetensors"),
    "no config": (without("config.json"), "it has no config.json"),
    "no tokenizer": (without("tokenizer.json"), "it has no tokenizer"),
    "its own code": (
        configured(model_type="strange", auto_map={"AutoModelForCausalLM": "x.Strange"}),
        "it needs program code that comes with it, and such code is never run here",
    ),
    "an encoder": (
        configured(architectures=["BertForMaskedLM"], model_type="bert"),
        "it is a BertForMaskedLM, which holds no chat",
    ),
    "a translator": (
        configured(architectures=["T5ForConditionalGeneration"], is_encoder_decoder=True),
        "it is a T5ForConditionalGeneration",
    ),
    "pictures": (configured(vision_config={}), "it sees or hears besides reading"),
    "GPTQ": (
        configured(quantization_config={"quant_method": "gptq"}),
        r"its weights are packed already \(gptq\)",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_a_base_is_refused_before_a_byte_of_its_weights(
    kind: str, tmp_path: Path
) -> None:
    files, why = REFUSED[kind]
    with (
        served(ScriptedHub({HUB_ID: files})) as scripted,
        pytest.raises(ModelError, match=f"'{HUB_ID}' cannot be loaded: {why}"),
    ):
        hub_of(scripted, tmp_path).look_up(HUB_ID, refuse)
    assert scripted.weights_asked() == []


def test_code_beside_a_model_that_transformers_knows_is_no_reason_to_refuse_it() -> None:
    refuse("phi", [*USEFUL], {"architectures": ["Phi3ForCausalLM"], "model_type": "phi3"})
    phi = {"model_type": "phi3", "auto_map": {"AutoConfig": "configuration_phi3.Phi3Config"}}
    refuse("phi", [*USEFUL], phi)


def test_an_embedding_model_may_be_an_encoder() -> None:
    refuse_files("minilm", [*USEFUL], {"architectures": ["BertModel"]})


@pytest.mark.parametrize(
    ("hub_id", "refusal", "message"),
    [
        (
            HUB_ID,
            "GatedRepo",
            r"accepts its licence\. Accept it on .*/owner/small-chat, then log in",
        ),
        (
            "owner/secret",
            None,
            r"The Hub has no model 'owner/secret', or it is private.*auth login",
        ),
    ],
)
def test_a_gated_or_private_model_is_refused_with_what_to_do(
    hub_id: str, refusal: str | None, message: str, tmp_path: Path
) -> None:
    with served(ScriptedHub({HUB_ID: FILES}, refusal=refusal)) as scripted:
        hub = hub_of(scripted, tmp_path)
        with pytest.raises(ModelError, match=message):
            hub.look_up(hub_id, refuse)


def test_a_hub_out_of_reach_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"could not be fetched from the Hub \(.*Check the network"
    ):
        Hub("http://127.0.0.1:9", Cache(tmp_path)).look_up(HUB_ID, refuse)


def test_a_model_that_the_disk_has_no_room_for_is_refused_first(tmp_path: Path) -> None:
    huge = ScriptedHub({HUB_ID: FILES}, sizes={"model.safetensors": 10**18})
    with (
        served(huge) as scripted,
        pytest.raises(ModelError, match=r"needs 1000000000\.0 GB, and .*HF_HOME"),
    ):
        hub_of(scripted, tmp_path).look_up(HUB_ID, refuse)
    assert scripted.weights_asked() == []


def test_two_do_not_fetch_the_same_model_at_once(tmp_path: Path) -> None:
    with served(ScriptedHub({HUB_ID: FILES})) as scripted:
        hub = hub_of(scripted, tmp_path)
        offer = hub.look_up(HUB_ID, refuse)
        kept = hub.cache.kept(HUB_ID)
        kept.mkdir(parents=True)
        with Lock(kept / "tandem.lock").claim(), pytest.raises(ModelError, match="being fetched"):
            list(hub.fetch(offer))
        fetch_all(hub, offer)


def test_a_folder_that_is_no_base_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    (bundled,) = bundled_bases().values()
    folder = tmp_path / "copy"
    shutil.copytree(bundled, folder)
    assert find_base(str(folder), chat=True) == folder
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"model-00001-of-00002\.safetensors is missing from"):
        find_base(str(folder), chat=True)
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        find_base(str(folder), chat=True)
    (folder / "config.json").rename(folder / "adapter_config.json")
    with pytest.raises(ModelError, match=r"no config\.json but an adapter's\. Choose the base"):
        find_base(str(folder))


def test_half_a_model_is_not_taken_for_one_that_is_here(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    folder = cache.kept(HUB_ID) / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    for name in USEFUL - {"model.safetensors"}:
        (folder / name).write_bytes(FILES[name])
    assert cache.models() == []
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    assert cache.models() == [HUB_ID]
