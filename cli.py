from certaudit.cli import main

raise SystemExit(main())
