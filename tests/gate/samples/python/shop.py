import os
import sys


def total(prices: list[int]) -> int:
    result: int = sum(prices)
    return result


def discount(price: int, percent: int) -> int:
    if percent > 100:
        raise ValueError("too much")
    return price - price * percent // 100


def label(name: str) -> int:
    return "label " + name
