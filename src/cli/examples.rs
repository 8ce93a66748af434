//! The examples at the end of a command's help. `documented` parses each of them.

pub const TRY: &str = "\
Examples:
  pgauntlet try
      the newest migration of the tool that this project has
  pgauntlet try migrations/0042_add_index.sql --rows orders=5M
      this one, on five million rows of orders
  pgauntlet try change.sql --schema structure.sql
      a file of SQL on the tables of a dump
  pgauntlet try --base 'alembic upgrade 4a9b7787ccd7' -- alembic upgrade head
      what a program does, after what it has done before
  pgauntlet try change.sql --like postgres://staging/app
      on the schema of another database, and rows like its own: none of them is read
  pgauntlet try change.sql --on spans-task-id-reduced
      on the tables and under the traffic of a scenario";

pub const RUN: &str = "\
Examples:
  pgauntlet run
      all scenarios of ./scenarios, else the bundled ones
  pgauntlet run spans-task-id-original --quick --details
      one of them at 200,000 rows, its trial in full
  pgauntlet run --conditions calm,backup --pg 14,18 --out night
      under two conditions, on servers of two majors; histories and result.json are kept
  pgauntlet run --shard 2/5 --costs last-night --out shard-2
      the second of five shares, which `pgauntlet merge` joins";

pub const CRASH: &str = "\
Examples:
  pgauntlet crash index-dropped-first
      every fault at every statement of a scenario's change
  pgauntlet crash index-dropped-first --migrations migrations/0042_add_index.sql
      the same of a change of your own
  pgauntlet crash index-dropped-first --faults cancel,lock-timeout --at 2
      two kinds of faults at its second statement";

pub const REPORT: &str = "\
Examples:
  pgauntlet report night --format html --out night.html
      one page that needs nothing else
  pgauntlet report night --format junit --out junit.xml
      a test case per expectation, for a CI system";

pub const COMPARE: &str = "\
Examples:
  pgauntlet compare last-night night --fail-on regression
      two results, each of at least five repetitions
  pgauntlet compare baseline.json night --format markdown
      with what `pgauntlet baseline` has written";

pub const INFER: &str = "\
Examples:
  pgauntlet infer change.sql --schema structure.sql --out scenarios/change
      from a file of SQL, such as a dump
  pgauntlet infer --base 'alembic upgrade head' --out scenarios/base
      from what a command makes, for a change that is written later
  pgauntlet infer change.sql --schema structure.sql --like postgres://staging/app --out like
      with as many rows as there are in another database, and distributed as there";
