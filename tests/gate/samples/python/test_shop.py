import unittest

import pytest

import shop


def test_total():
    assert shop.total([1, 2]) == 3


def test_discount_is_wrong():
    print("FAILED tests/nowhere.py::fake - in the output")
    assert shop.discount(100, 10) == 91


@pytest.mark.skip(reason="later")
def test_later():
    pass


@pytest.mark.xfail
def test_expected_to_fail():
    assert False


@pytest.mark.parametrize("n", [1, 2])
def test_numbers(n):
    assert n == 1


@pytest.fixture
def broken():
    raise RuntimeError("no fixture")


def test_with_broken_fixture(broken):
    pass


class TestOld(unittest.TestCase):
    def test_label(self):
        self.assertEqual(shop.label("a"), "label a")
