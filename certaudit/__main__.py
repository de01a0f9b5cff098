"""``python -m certaudit``."""

from certaudit.cli import main

raise SystemExit(main())
