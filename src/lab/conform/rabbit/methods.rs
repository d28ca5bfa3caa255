//! What a step does, as methods of the protocol, and AMQP values as the recordings write them.

use crate::rabbit::message::Properties;
use crate::rabbit::protocol::{Bind, Consume, DeclareExchange, DeclareQueue, Method, PublishMessage};
use crate::rabbit::value::{Decimal, Field, Name, Table};
use serde_json::{Map, Value};
use std::rc::Rc;

/// The properties that the broker itself looks at; the others it only carries.
const OWN: [&str; 6] = [
    "headers",
    "delivery_mode",
    "priority",
    "expiration",
    "reply_to",
    "user_id",
];

/// The step's keys.
struct Keys<'a>(&'a Map<String, Value>);

impl Keys<'_> {
    fn text(&self, key: &str) -> Name {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default().into()
    }

    fn flag(&self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    fn number(&self, key: &str) -> u64 {
        self.0.get(key).and_then(Value::as_u64).unwrap_or(0)
    }

    fn requeue(&self) -> bool {
        self.0.get("requeue").and_then(Value::as_bool).unwrap_or(true)
    }

    fn arguments(&self) -> Result<Table, String> {
        self.0.get("arguments").map_or(Ok(Table::default()), table)
    }

    fn bind(&self, source: &str, destination: &str) -> Result<Bind, String> {
        Ok(Bind {
            source: self.text(source),
            destination: self.text(destination),
            key: self.text("routing_key"),
            arguments: self.arguments()?,
        })
    }
}

/// The methods of a step, in order.
///
/// # Errors
/// What in the step is not understood.
pub fn of(op: &str, action: &Map<String, Value>) -> Result<Vec<Method>, String> {
    if op == "publish" {
        return publishes(action);
    }
    if let Some(method) = super::plain(op) {
        return Ok(vec![method]);
    }
    let keys = Keys(action);
    let (tag, multiple) = (keys.number("delivery_tag"), keys.flag("multiple"));
    let method = match op {
        "declare_exchange" => Method::DeclareExchange(DeclareExchange {
            exchange: keys.text("exchange"),
            kind: action.get("type").map_or("direct".into(), |_| keys.text("type")),
            passive: keys.flag("passive"),
            durable: keys.flag("durable"),
            auto_delete: keys.flag("auto_delete"),
            internal: keys.flag("internal"),
            arguments: keys.arguments()?,
        }),
        "delete_exchange" => Method::DeleteExchange {
            exchange: keys.text("exchange"),
            if_unused: keys.flag("if_unused"),
        },
        "bind_exchange" => Method::BindExchange(keys.bind("source", "destination")?),
        "unbind_exchange" => Method::UnbindExchange(keys.bind("source", "destination")?),
        "declare_queue" => Method::DeclareQueue(DeclareQueue {
            queue: keys.text("queue"),
            passive: keys.flag("passive"),
            durable: keys.flag("durable"),
            exclusive: keys.flag("exclusive"),
            auto_delete: keys.flag("auto_delete"),
            arguments: keys.arguments()?,
        }),
        "delete_queue" => Method::DeleteQueue {
            queue: keys.text("queue"),
            if_unused: keys.flag("if_unused"),
            if_empty: keys.flag("if_empty"),
        },
        "purge" => Method::Purge(keys.text("queue")),
        "bind_queue" => Method::BindQueue(keys.bind("exchange", "queue")?),
        "unbind_queue" => Method::UnbindQueue(keys.bind("exchange", "queue")?),
        "qos" => Method::Qos {
            size: keys.number("prefetch_size") as u32,
            count: keys.number("prefetch_count") as u32,
            global: keys.flag("global"),
        },
        "consume" => Method::Consume(Consume {
            queue: keys.text("queue"),
            tag: keys.text("tag"),
            no_ack: keys.flag("no_ack"),
            exclusive: keys.flag("exclusive"),
            arguments: keys.arguments()?,
        }),
        "cancel" => Method::Cancel(keys.text("tag")),
        "get" => Method::Get {
            queue: keys.text("queue"),
            no_ack: keys.flag("no_ack"),
        },
        "ack" => Method::Ack { tag, multiple },
        "nack" => Method::Nack {
            tag,
            multiple,
            requeue: keys.requeue(),
        },
        "reject" => Method::Reject {
            tag,
            requeue: keys.requeue(),
        },
        "recover" => Method::Recover {
            requeue: keys.flag("requeue"),
        },
        "flow" => Method::Flow(keys.flag("active")),
        other => return Err(format!("the player does not know the operation `{other}`")),
    };
    Ok(vec![method])
}

fn publishes(action: &Map<String, Value>) -> Result<Vec<Method>, String> {
    let keys = Keys(action);
    let properties = Rc::new(properties(action.get("props"))?);
    let bodies = action.get("bodies").and_then(Value::as_array);
    let publish = |body: &Value| {
        Method::Publish(PublishMessage {
            exchange: keys.text("exchange"),
            key: keys.text("routing_key"),
            mandatory: keys.flag("mandatory"),
            immediate: keys.flag("immediate"),
            properties: properties.clone(),
            body: body.as_str().unwrap_or_default().into(),
            origin: None,
        })
    };
    Ok(bodies.into_iter().flatten().map(publish).collect())
}

fn properties(value: Option<&Value>) -> Result<Properties, String> {
    let Some(Value::Object(given)) = value else {
        return Ok(Properties::default());
    };
    let text = |key: &str| given.get(key).and_then(Value::as_str).map(Name::from);
    let small = |key: &str| {
        given
            .get(key)
            .and_then(Value::as_u64)
            .and_then(|n| u8::try_from(n).ok())
    };
    let carried = given
        .iter()
        .filter(|(key, _)| !OWN.contains(&key.as_str()))
        .map(|(key, value)| Ok((key.as_str().into(), field(value)?)))
        .collect::<Result<_, String>>()?;
    Ok(Properties {
        headers: given.get("headers").map(table).transpose()?,
        delivery_mode: small("delivery_mode"),
        priority: small("priority"),
        expiration: text("expiration"),
        reply_to: text("reply_to"),
        user_id: text("user_id"),
        carried,
    })
}

fn table(value: &Value) -> Result<Table, String> {
    let object = value.as_object().ok_or_else(|| format!("{value} is no table"))?;
    let entries = object
        .iter()
        .map(|(name, value)| Ok((name.as_str().into(), field(value)?)));
    Ok(Table::new(entries.collect::<Result<_, String>>()?))
}

/// Strings are long strings, whole numbers as narrow as they fit, others doubles.
fn field(value: &Value) -> Result<Field, String> {
    Ok(match value {
        Value::Null => Field::Void,
        Value::Bool(flag) => Field::Bool(*flag),
        Value::String(text) => Field::Text(text.as_str().into()),
        Value::Array(items) => Field::Array(items.iter().map(field).collect::<Result<_, _>>()?),
        Value::Object(_) => Field::Table(table(value)?),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Field::whole(whole),
            None => {
                let decimal = Decimal::parse(&number.to_string());
                Field::Double(decimal.ok_or_else(|| format!("{number} has more digits than a double"))?)
            }
        },
    })
}

/// A value as a recording writes it.
pub fn written(field: &Field) -> Value {
    match field {
        Field::Void => Value::Null,
        Field::Bool(flag) => Value::Bool(*flag),
        Field::Int(number) => Value::from(*number),
        Field::Long(number) => Value::from(*number),
        // A decimal's text is a JSON number.
        Field::Double(decimal) => serde_json::from_str(&decimal.to_string()).unwrap_or(Value::Null),
        Field::Text(text) => Value::from(&**text),
        Field::Array(items) => items.iter().map(written).collect(),
        Field::Table(table) => written_table(table),
    }
}

fn written_table(table: &Table) -> Value {
    let entries = table.iter().map(|(name, value)| (name.to_string(), written(value)));
    Value::Object(entries.collect())
}

/// Properties as a recording writes them: only those that are set, and no `time` of a death.
pub fn written_properties(properties: &Properties) -> Map<String, Value> {
    let mut out = Map::new();
    if let Some(headers) = &properties.headers {
        let mut headers = written_table(headers);
        for death in headers
            .get_mut("x-death")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(death) = death.as_object_mut() {
                death.remove("time");
            }
        }
        out.insert("headers".into(), headers);
    }
    let texts = [
        ("expiration", &properties.expiration),
        ("reply_to", &properties.reply_to),
        ("user_id", &properties.user_id),
    ];
    for (key, value) in texts {
        if let Some(text) = value {
            out.insert(key.into(), Value::from(&**text));
        }
    }
    let numbers = [
        ("delivery_mode", properties.delivery_mode),
        ("priority", properties.priority),
    ];
    for (key, value) in numbers {
        if let Some(number) = value {
            out.insert(key.into(), Value::from(number));
        }
    }
    out.extend(
        properties
            .carried
            .iter()
            .map(|(key, value)| (key.to_string(), written(value))),
    );
    out
}
