//! `--shard`: which share of the trials is this machine's, as it is written or as the system that
//! started it says in its variables.
//!
//! What is read of the environment comes by a function, so that a test can say what is in it.

use crate::result::Shard;

/// Machines that divide a run between them.
const SHARDS_MAX: u32 = 1_000;
/// What `auto` looks for, in this order; two that both say something are refused.
const SYSTEMS: [System; 4] = [
    System { name: "GitLab", index: "CI_NODE_INDEX", of: "CI_NODE_TOTAL", first: 1 },
    System {
        name: "Buildkite",
        index: "BUILDKITE_PARALLEL_JOB",
        of: "BUILDKITE_PARALLEL_JOB_COUNT",
        first: 0,
    },
    System { name: "CircleCI", index: "CIRCLE_NODE_INDEX", of: "CIRCLE_NODE_TOTAL", first: 0 },
    // Kubernetes says which pod of a Job this is, and not of how many: that variable is ours.
    System { name: "Kubernetes", index: "JOB_COMPLETION_INDEX", of: "PGAUNTLET_SHARDS", first: 0 },
];

/// The variables in which a system says which of several machines this one is.
struct System {
    name: &'static str,
    index: &'static str,
    of: &'static str,
    /// What the system calls the first of them.
    first: u32,
}

/// `2/5`: the second of five; `auto`: as the environment says.
pub fn shard(text: &str) -> Result<Shard, String> {
    match text {
        "auto" => automatic(&|name| std::env::var(name).ok()),
        _ => written(text),
    }
}

fn written(text: &str) -> Result<Shard, String> {
    let wrong =
        || format!("{text} is no share; write INDEX/OF, as in 2/5, counted from 1, or auto");
    let (index, of) = text.split_once('/').ok_or_else(wrong)?;
    let number = |text: &str| text.parse::<u32>().map_err(|_| wrong());
    checked(number(index)?, number(of)?).ok_or_else(wrong)
}

fn checked(index: u32, of: u32) -> Option<Shard> {
    (index >= 1 && index <= of && of <= SHARDS_MAX).then_some(Shard { index, of })
}

/// What is set by exactly one of the systems that are known.
fn automatic(variable: &dyn Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let said = |system: &System| system.said(&variable).map(|shard| (system.name, shard));
    let mut found = SYSTEMS.iter().filter_map(said);
    match (found.next(), found.next()) {
        (Some((_, shard)), None) => shard,
        (Some((one, _)), Some((other, _))) => {
            Err(format!("variables of {one} and of {other} are set; write INDEX/OF, as in 2/5"))
        }
        (None, _) => {
            let looked_for: Vec<String> = SYSTEMS.iter().map(System::described).collect();
            Err(format!(
                "no variable says which share this is; looked for {}",
                looked_for.join(", ")
            ))
        }
    }
}

impl System {
    fn described(&self) -> String {
        format!("{} and {} ({})", self.index, self.of, self.name)
    }

    /// None: it is not this system that started the process.
    fn said(&self, variable: &dyn Fn(&str) -> Option<String>) -> Option<Result<Shard, String>> {
        match (variable(self.index), variable(self.of)) {
            (None, None) => None,
            (Some(index), Some(of)) => Some(self.read(&index, &of)),
            // GitLab has a total of 1, and no index, where a job is not parallel.
            (None, Some(of)) if of == "1" => Some(Ok(Shard { index: 1, of: 1 })),
            (Some(_), None) => Some(Err(self.half(self.index, self.of))),
            (None, Some(_)) => Some(Err(self.half(self.of, self.index))),
        }
    }

    fn half(&self, set: &str, missing: &str) -> String {
        format!("{set} ({}) is set, and {missing} is not", self.name)
    }

    fn read(&self, index: &str, of: &str) -> Result<Shard, String> {
        let wrong = || {
            format!(
                "{}={index} and {}={of} ({}) are no share: the index counts from {}",
                self.index, self.of, self.name, self.first
            )
        };
        let number = |text: &str| text.parse::<u32>().map_err(|_| wrong());
        let counted = number(index)?.checked_add(1 - self.first).ok_or_else(wrong)?;
        checked(counted, number(of)?).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<Shard, String> {
        automatic(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_share_is_an_index_of_a_number() {
        assert_eq!(written("2/5"), Ok(Shard { index: 2, of: 5 }));
        for text in ["", "2", "0/5", "6/5", "1/0", "a/b", "1/2/3", "-1/2", "1/1001"] {
            assert!(written(text).is_err(), "{text}");
        }
    }

    #[rstest]
    #[case(&[("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "4")], 1, 4)]
    #[case(&[("CI_NODE_INDEX", "4"), ("CI_NODE_TOTAL", "4")], 4, 4)]
    #[case(&[("CI_NODE_TOTAL", "1")], 1, 1)]
    #[case(&[("BUILDKITE_PARALLEL_JOB", "0"), ("BUILDKITE_PARALLEL_JOB_COUNT", "3")], 1, 3)]
    #[case(&[("CIRCLE_NODE_INDEX", "2"), ("CIRCLE_NODE_TOTAL", "3")], 3, 3)]
    #[case(&[("JOB_COMPLETION_INDEX", "1"), ("PGAUNTLET_SHARDS", "8")], 2, 8)]
    // A variable that is set to nothing is not set.
    #[case(
        &[("CI_NODE_INDEX", ""), ("CIRCLE_NODE_INDEX", "0"), ("CIRCLE_NODE_TOTAL", "2")],
        1,
        2
    )]
    fn each_system_says_which_share_this_is(
        #[case] variables: &[(&str, &str)],
        #[case] index: u32,
        #[case] of: u32,
    ) {
        assert_eq!(with(variables), Ok(Shard { index, of }));
    }

    #[rstest]
    // Each variable that was looked for is named.
    #[case(&[], &["CI_NODE_INDEX and CI_NODE_TOTAL", "BUILDKITE_PARALLEL_JOB_COUNT",
        "CIRCLE_NODE_TOTAL", "JOB_COMPLETION_INDEX and PGAUNTLET_SHARDS"])]
    #[case(&[("JOB_COMPLETION_INDEX", "1")], &["PGAUNTLET_SHARDS is not"])]
    #[case(&[("CI_NODE_TOTAL", "4")], &["CI_NODE_INDEX is not"])]
    #[case(&[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "4")], &["counts from 1"])]
    #[case(&[("CIRCLE_NODE_INDEX", "4"), ("CIRCLE_NODE_TOTAL", "4")], &["counts from 0"])]
    #[case(&[("JOB_COMPLETION_INDEX", "4294967295"), ("PGAUNTLET_SHARDS", "4")],
        &["JOB_COMPLETION_INDEX=4294967295"])]
    #[case(&[("BUILDKITE_PARALLEL_JOB", "a"), ("BUILDKITE_PARALLEL_JOB_COUNT", "3")],
        &["BUILDKITE_PARALLEL_JOB=a", "Buildkite"])]
    #[case(&[("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "4"),
        ("JOB_COMPLETION_INDEX", "1"), ("PGAUNTLET_SHARDS", "8")],
        &["of GitLab and of Kubernetes"])]
    fn what_is_no_share_is_said_with_the_variables(
        #[case] variables: &[(&str, &str)],
        #[case] said: &[&str],
    ) {
        let error = with(variables).expect_err("no share");
        for each in said {
            assert!(error.contains(each), "{error}");
        }
    }
}
