//! What to do where rows, privileges or something left behind is the matter.

use crate::history::Mismatch;
use crate::result::evidence::{ChangedAccess, LeftOutRows};
use crate::result::{Evidence, Subject};

const MORE_VALUES: &str = "ALTER SEQUENCE … NO MAXVALUE, or AS bigint where its column is one; a \
                           smaller limit belongs in a CHECK of the column, which says what is \
                           wrong";

const NULLS_COME: &str = "two releases: first one that sends the column itself, then the one \
                          that takes away what the server put there";
const MAKE_ANEW: &str = "make it anew in the change: REINDEX INDEX CONCURRENTLY, an UPDATE of the \
                         rows for a stored generated column; or give the new definition a name \
                         of its own, with an index of its own";
const FAIL_INSTEAD: &str = "leave IF NOT EXISTS out, so that the change fails where it finds \
                            another one; or name the new one otherwise, or change what is there \
                            (ALTER …, DROP INDEX CONCURRENTLY before it)";
const COUNT_YOURS: &str = "count the rows of your own database that do not fit before the \
                           release, or try it on a copy of yours (--clone)";
const MEANT_OR_NOT: &str = "where other answers are meant, accept them: `-- pgauntlet: accept \
                            answers-differ \"why\"` in the change, or [[accept]]; where the \
                            release before still asks, give the new definition a name of its own";
const COMPARE_THEM: &str = "compare what both definitions return on a copy of your database; where \
                            the new one is right, accept it: `-- pgauntlet: accept answers-differ \
                            \"why\"` in the change, or [[accept]]";
const WIDER: &str = "read the table as each role and tenant of the application before the release; \
                     where it is meant, accept it ([[accept]])";

fn access(of: &ChangedAccess) -> &'static str {
    match of {
        of if of.wider => WIDER,
        of if of.at_risk => {
            "for a bulk load, undo it at its end (SET LOGGED, RESET (autovacuum_enabled)); where \
             it is meant, say so: [[accept]] difference"
        }
        of if of.as_caller => {
            "name the application's role, which the schema makes and grants what it has \
             ([pool] role); or GRANT it what the function or view reads and writes"
        }
        of if of.is_of_new_sessions() => {
            "begin the application's sessions under them (the same SET in the schema that the \
             scenario begins with) and try it again"
        }
        of if of.left_unpopulated() => {
            "REFRESH MATERIALIZED VIEW … WITH DATA in the same transaction, or make a second \
             view and rename it when it has rows"
        }
        of if of.left_disabled() => {
            "ENABLE it again in the transaction that disabled it; a foreign key whose triggers \
             were disabled checks nothing of what was written meanwhile"
        }
        _ => {
            "CREATE TABLE … LIKE copies no privileges, owner, policies or triggers: GRANT and \
             make them again before the new table takes the old one's name"
        }
    }
}

/// Where there is a known way.
pub fn remedy(evidence: &Evidence) -> Option<&'static str> {
    Some(match evidence {
        Evidence::LeftBehind(of) if !of.pending.is_empty() => {
            "ALTER TABLE … DETACH PARTITION … FINALIZE ends a detaching that was broken off"
        }
        Evidence::LeftBehind(of) if !of.duplicates.is_empty() => {
            "give each index a name, and DROP INDEX CONCURRENTLY IF EXISTS it before it is built: \
             without a name every try makes another one"
        }
        Evidence::LostWrite(of) if of.replaced.is_some() => {
            "let a trigger repeat each write in the new table from before the copy on, and lock \
             only for the swap; or LOCK TABLE … IN SHARE ROW EXCLUSIVE MODE before the copy, which \
             stops writers for as long as it takes"
        }
        Evidence::LostWrite(of) if matches!(of.example.kind, Mismatch::Overwritten { .. }) => {
            "a trigger, a rule or a statement of the change writes the column of rows that the \
             application has written: leave those alone (a condition on what the row was), or say \
             that it is meant ([[accept]] values = \"table.column\")"
        }
        Evidence::Orphans(_) => {
            "a foreign key is not checked while its triggers are disabled or under \
             session_replication_role = replica: find the rows, then DROP the constraint, add it \
             NOT VALID and VALIDATE it"
        }
        Evidence::SequenceBehind(_) => {
            "setval the sequence to the column's greatest value in the transaction that makes the \
             table; or keep the old table's sequence (ALTER SEQUENCE … OWNED BY, SET DEFAULT)"
        }
        Evidence::SequenceEnds(_) => MORE_VALUES,
        Evidence::NewRowsDiffer(of) if of.null.is_empty() => return None,
        Evidence::NewRowsDiffer(_) => NULLS_COME,
        Evidence::AnswersDiffer(of) if of.compared.not_compared.is_some() => COMPARE_THEM,
        Evidence::AnswersDiffer(_) => MEANT_OR_NOT,
        Evidence::StaleValues(_) => MAKE_ANEW,
        Evidence::AlreadyThere(_) => FAIL_INSTEAD,
        Evidence::RowsFitted(_) => COUNT_YOURS,
        Evidence::AccessChanged(of) => access(of),
        Evidence::ConstraintChanged(of) if !of.unindexed.is_empty() => {
            "CREATE INDEX CONCURRENTLY on the referring columns before the foreign key is added"
        }
        Evidence::ValuesDropped(of) if of.columns.iter().any(|c| c.kept_in.is_none()) => {
            "stop using the column in one release and drop it in a later one; where the values may \
             be needed again, keep a copy of the key and the column first"
        }
        Evidence::NothingTried(of) if of.unmatched > 0 => {
            "let the scenario hold rows that the statement finds: --save it, and write such values \
             into the pool or the generator of the column that it asks for; a change that is to \
             touch none says [[accept]] no_rows = true"
        }
        // A null change is what it says.
        Evidence::NothingTried(of)
            if of.made.is_empty() && of.changed == 0 && of.statements == 0 =>
        {
            return None;
        }
        Evidence::NothingTried(of) if !of.unused.is_empty() => {
            "give the application's statements that read or call it: --app queries.sql, or an \
             [[operation]] of the scenario"
        }
        Evidence::NothingTried(_) => {
            "try it on a database whose tables hold rows; a change that is to touch none says \
             [[accept]] no_rows = true"
        }
        _ => return None,
    })
}

/// What to write in the scenario for rows that the server takes.
pub fn left_out(of: &LeftOutRows, subject: &Subject) -> String {
    let table = super::super::words::relation(subject);
    if !of.unfilled.is_empty() {
        let columns: Vec<&str> = of.unfilled.keys().map(String::as_str).collect();
        let columns = columns.join(", ");
        return format!(
            "in [[table]] {table}, write generators for {columns} and take `unfilled` out (try \
             --save keeps the scenario)"
        );
    }
    if !of.was_refused {
        return format!(
            "in [[table]] {table}, write generators whose values differ in more rows, raise `rows` \
             and take `asked` out (try --save keeps the scenario); or ask for as few, if it may \
             have as few: --rows {table}={}",
            of.loaded
        );
    }
    let lower = format!(
        "or lower `rows` of [[table]] {table} to {}, if it may have as few",
        match of.loaded {
            0 => "0".to_owned(),
            loaded => loaded.to_string(),
        }
    );
    if let Some(first) = &of.because_of {
        return format!("see to the rows of {first}, to which its own refer; {lower}");
    }
    let columns = match of.constraints.as_slice() {
        [] => "its columns".to_owned(),
        constraints => format!("the columns of {}", constraints.join(" and of ")),
    };
    format!(
        "in [[table]] {table}, write generators for {columns} whose values the server takes: a \
         `pool` of rows that go together, `pattern`, `numbered`, `reference`; {lower}"
    )
}
