//! Which names topics may have, and which of them get into each other's way. [Topic, ReplicationControlManager]

/// Most characters of a name: it becomes a folder's name, with a partition number behind it.
pub const MAX_NAME_LENGTH: usize = 249;

/// Topics that Kafka keeps for itself and shows as internal.
pub const INTERNAL: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];

/// Is it one of Kafka's own topics?
pub fn is_internal(name: &str) -> bool {
    INTERNAL.contains(&name)
}

/// Checks a topic's name.
///
/// # Errors
/// The text that goes with `INVALID_TOPIC_EXCEPTION`.
pub fn validate(name: &str) -> Result<(), String> {
    check("Topic name", name)
}

/// Checks a name that follows the rules of topic names; `what` is how an error calls it. [Topic.validate]
///
/// # Errors
/// The text that says what is wrong.
pub fn check(what: &str, name: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let why = if name.is_empty() {
        "the empty string is not allowed".to_string()
    } else if matches!(name, "." | "..") {
        format!("'{name}' is not allowed")
    } else if name.encode_utf16().count() > MAX_NAME_LENGTH {
        format!("the length of '{name}' is longer than the max allowed length {MAX_NAME_LENGTH}")
    } else if !name.chars().all(legal) {
        format!("'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'")
    } else {
        return Ok(());
    };
    Err(format!("{what} is invalid: {why}"))
}

/// Has it a character that another name may differ in and still collide: in names of metrics `.` becomes `_`?
pub fn has_collision_chars(name: &str) -> bool {
    name.contains(['.', '_'])
}

/// Do two names become the same in names of metrics?
pub fn collide(a: &str, b: &str) -> bool {
    let same = |c: char| if c == '.' { '_' } else { c };
    a.chars().map(same).eq(b.chars().map(same))
}

/// The controller's check of a new topic's name: the name itself, then collisions with topics that exist (not with
/// others of the same request). A topic of exactly this name is for a later check, whose `TOPIC_ALREADY_EXISTS` takes
/// the place of this answer. [ReplicationControlManager.validateNewTopicNames]
///
/// # Errors
/// The text that goes with `INVALID_TOPIC_EXCEPTION`.
pub fn check_new<'a>(name: &str, existing: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
    validate(name)?;
    if !has_collision_chars(name) {
        return Ok(());
    }
    match existing.into_iter().find(|other| collide(name, other)) {
        Some(other) => Err(format!("Topic '{name}' collides with existing topic: {other}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::vectors;

    #[test]
    fn topics_agree_with_vectors() {
        let rows = vectors::json_lines("topics.jsonl");
        assert!(rows.len() > 100);
        for row in rows {
            let text = |key: &str| row[key].as_str().expect("a text");
            match text("kind") {
                "name" => {
                    let name = text("name");
                    assert_eq!(validate(name).err().as_deref(), row["error"].as_str(), "{row}");
                    assert_eq!(is_internal(name), row["internal"], "{row}");
                    assert_eq!(has_collision_chars(name), row["collision_chars"], "{row}");
                }
                "pair" => assert_eq!(collide(text("a"), text("b")), row["collide"], "{row}"),
                "create" => {
                    let names = |key: &str| row[key].as_array().expect("names").clone();
                    let existing = names("existing");
                    for name in names("create") {
                        let name = name.as_str().expect("a name");
                        let found = check_new(name, existing.iter().filter_map(|e| e.as_str()));
                        let expected = &row["result"][name];
                        if !expected.is_null() {
                            assert_eq!(expected["error"], "INVALID_TOPIC_EXCEPTION", "{row}");
                        }
                        assert_eq!(found.err().as_deref(), expected["message"].as_str(), "{row}");
                    }
                }
                other => panic!("unknown kind {other}"),
            }
        }
    }
}
