"""Check certificates of machine unlearning: prove them, and attack the code behind them."""

__version__ = "0.1.0"
