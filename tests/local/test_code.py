"""The code of functions on disk: epsm_local/aws/code_store.py."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from epsm_local.aws.code_store import CodeStore
from tests.moto_fixtures import zipped


@pytest.fixture
def store(tmp_path: Path) -> CodeStore:
    return CodeStore(tmp_path / "code", {"tag": zipped({"functions/run_variant/handler.py": "x = 1"})})


def test_a_zip_is_unpacked(store: CodeStore) -> None:
    folder = store.zipped(zipped({"handler.py": "x = 1", "deep/er/data.txt": "ü"}))
    assert (folder / "handler.py").read_text() == "x = 1"
    assert (folder / "deep" / "er" / "data.txt").read_text(encoding="utf-8") == "ü"


def test_the_same_zip_is_unpacked_once(store: CodeStore) -> None:
    content = zipped({"handler.py": "x = 1"})
    first = store.zipped(content)
    (first / "mark").touch()
    assert (store.zipped(content) / "mark").exists()


def test_another_zip_gets_another_folder(store: CodeStore) -> None:
    assert store.zipped(zipped({"handler.py": "x = 1"})) != store.zipped(zipped({"handler.py": "x = 2"}))


def test_an_unfinished_folder_of_an_earlier_process_does_no_harm(store: CodeStore, tmp_path: Path) -> None:
    content = zipped({"handler.py": "x = 1"})
    folder = CodeStore(tmp_path / "code", {}).zipped(content)
    folder.rename(folder.with_suffix(".part"))
    (folder.with_suffix(".part") / "left over").touch()
    assert [path.name for path in store.zipped(content).iterdir()] == ["handler.py"]


def test_many_may_ask_for_the_same_zip_at_the_same_moment(store: CodeStore) -> None:
    content = zipped({f"module_{number}.py": "x = 1" for number in range(300)})
    together = threading.Barrier(8)

    def ask(_: int) -> int:
        together.wait(timeout=20)
        return len(list(store.zipped(content).iterdir()))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [300] * 8


def test_of_a_layer_the_own_package_is_taken(store: CodeStore) -> None:
    folder = store.layer(zipped({"python/epsm/study.py": "x = 1", "python/pydantic/main.py": "y = 2"}))
    assert folder is not None
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*.py")] == ["epsm/study.py"]


def test_of_a_layer_of_dependencies_nothing_is_taken(store: CodeStore) -> None:
    assert store.layer(zipped({"python/pydantic/main.py": "y = 2"})) is None


def test_an_image_is_the_folders_that_its_dockerfile_puts_on_the_path(store: CodeStore) -> None:
    context, library = store.image("123456789012.dkr.ecr.us-east-1.amazonaws.com/assets:tag")
    assert (context / "functions" / "run_variant" / "handler.py").read_text() == "x = 1"
    assert library == context / "layers" / "energyplus" / "python"


def test_code_that_was_not_used_for_long_is_removed(tmp_path: Path) -> None:
    old, recent = (CodeStore(tmp_path, {}).zipped(zipped({"handler.py": text})) for text in ("x = 1", "x = 2"))
    day_s = 86_400.0
    os.utime(old, (0, time.time() - 91 * day_s))
    os.utime(recent, (0, time.time() - 89 * day_s))
    CodeStore(tmp_path, {})
    assert list(tmp_path.iterdir()) == [recent]


def test_an_image_that_was_not_staged_is_named(store: CodeStore) -> None:
    with pytest.raises(LookupError, match=r"assets:other is none of the images \['tag'\]"):
        store.image("123456789012.dkr.ecr.us-east-1.amazonaws.com/assets:other")
