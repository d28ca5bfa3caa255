//! JSON files that tools read, and what they say of bad ones. [Json.parseFull]

use crate::console::desk::Desk;
use crate::kafka::client::call::ClientError;
use crate::kafka::types::NamedPartition;
use serde_json::Value;

/// The file's text.
///
/// # Errors
/// There is no such file: the exception of reading it.
pub fn read<'a>(desk: &Desk<'a>, name: &str) -> Result<&'a str, ClientError> {
    desk.file(name).ok_or_else(|| {
        let cause = ClientError::new("NoSuchFileException", name);
        ClientError::new("IOException", &format!("Unable to read file {name}")).caused_by(cause)
    })
}

/// `topic` and `partition` of an element, if it has them.
pub fn partition(element: &Value) -> Option<NamedPartition> {
    Some(NamedPartition {
        topic: element.get("topic")?.as_str()?.into(),
        partition: i32::try_from(element.get("partition")?.as_i64()?).ok()?,
    })
}

/// The elements of a list.
pub fn elements(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

/// Those that come more than once, in the order of their first repetition.
pub fn twice(all: &[NamedPartition]) -> Vec<NamedPartition> {
    let mut out: Vec<NamedPartition> = Vec::new();
    for (index, partition) in all.iter().enumerate() {
        if all[..index].contains(partition) && !out.contains(partition) {
            out.push(partition.clone());
        }
    }
    out
}

/// What the parser says of a text that is no JSON, if a word stands in it that is none; else that it ends too early.
pub fn complaint(text: &str) -> String {
    const WHERE: &str = "at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled);";
    let start = text.len() - text.trim_start().len();
    let length = text[start..]
        .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$')
        .unwrap_or(text.len() - start);
    let before = &text[..start];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    match &text[start..start + length] {
        "" => format!("Unexpected end-of-input: expected close marker\n {WHERE} line: {line}, column: {column}]"),
        word => format!(
            "Unrecognized token '{word}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or \
             'false')\n {WHERE} line: {line}, column: {column}]"
        ),
    }
}
