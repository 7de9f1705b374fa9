"""Which unit tests `make quick` runs, in a small repository of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "affected.py"
CART, PRICE, OTHER = "tests/unit/test_cart.py", "tests/unit/shop/prices/test_price.py", "tests/unit/test_other.py"
FILES = {
    "pyproject.toml": '[tool.mypy]\npackages = ["shop"]\n',
    "README.md": "a shop",
    "shop/__init__.py": "",
    "shop/cart.py": "def total():\n    from shop.prices.price import PRICE\n    return PRICE\n",
    "shop/prices/__init__.py": "",
    "shop/prices/price.py": "PRICE = 3\n",
    "shop/prices/list.yaml": "apple: 3\n",
    "shop/sign.py": "",
    "tests/conftest.py": "",
    "tests/baskets.py": "import shop.cart\n",
    CART: "from tests.baskets import shop\n",
    PRICE: "from shop.prices import price\n",
    OTHER: "from shop import sign\n",
}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    for words in (["init", "--quiet", "--initial-branch=main"], ["add", "."], ["commit", "--quiet", "-m", "a shop"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    return tmp_path


def affected(shop):
    done = subprocess.run([sys.executable, str(SCRIPT)], cwd=shop, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("changed", "tests"),
    [
        ("shop/prices/price.py", {CART, PRICE}),
        ("shop/cart.py", {CART}),
        ("shop/sign.py", {OTHER}),
        ("shop/prices/list.yaml", {CART, PRICE}),
        ("tests/baskets.py", {CART}),
        (PRICE, {PRICE}),
        ("tests/conftest.py", {CART, PRICE, OTHER}),
        ("README.md", set()),
    ],
)
def test_a_change_affects_the_tests_that_import_it_directly_or_not(shop, changed, tests):
    assert affected(shop) == set()
    (shop / changed).write_text(f"{FILES[changed]}# changed\n")
    assert affected(shop) == tests


def test_new_files_and_commits_of_the_branch_count(shop):
    new = "tests/unit/test_new.py"
    (shop / new).write_text("")
    assert affected(shop) == {new}
    subprocess.run(["git", "switch", "--quiet", "--create", "work"], cwd=shop, check=True)
    subprocess.run(["git", "add", "."], cwd=shop, check=True)
    command = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "commit", "-qm", "new"]
    subprocess.run(command, cwd=shop, check=True)
    assert affected(shop) == {new}


def test_what_a_deleted_module_stood_beside_is_affected(shop):
    (shop / "shop" / "prices" / "price.py").unlink()
    (shop / PRICE).write_text("import shop.prices\n")
    assert affected(shop) == {PRICE}
