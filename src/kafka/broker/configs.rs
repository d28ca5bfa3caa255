//! Settings in effect: a topic's over the broker's dynamic ones over its static ones over the defaults; and
//! DescribeConfigs. [KRaftMetadataCache.topicConfig, ConfigHelper, LogConfig]

use super::requests::Asker;
use super::server::Server;
use crate::kafka::config::definition::{Default, Definition, Scope, broker_synonyms};
use crate::kafka::config::topic::{Compression, TimestampType, defaults_from_broker};
use crate::kafka::config::values::Values;
use crate::kafka::config::{GroupConfig, Properties, TopicConfig};
use crate::kafka::log::batch;
use crate::kafka::log::config::{CleanupPolicy, LogConfig};
use crate::kafka::metadata::image::Settings;
use crate::kafka::protocol::admin::{
    ApiError, ConfigResource, ConfigSynonym, DescribeConfigsRequest, DescribeConfigsResponse, DescribedConfig,
};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::topic_name;
use crate::kafka::wire::Ctx;
use std::rc::Rc;

/// Texts of one resource from the metadata, as settings are read.
fn properties(settings: Option<&Settings>) -> Properties {
    let all = settings.into_iter().flatten();
    all.map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

/// One layer of settings, and how DescribeConfigs calls it.
type Layer = (Properties, &'static str);

impl Server {
    /// The broker's settings by layer, the strongest first.
    fn broker_layers(&self) -> [Layer; 3] {
        let own = ConfigResource::Broker(self.me().to_string().into());
        let all = ConfigResource::Broker("".into());
        [
            (properties(self.image().settings(&own)), "DYNAMIC_BROKER_CONFIG"),
            (properties(self.image().settings(&all)), "DYNAMIC_DEFAULT_BROKER_CONFIG"),
            (self.setup.properties.clone(), "STATIC_BROKER_CONFIG"),
        ]
    }

    /// Settings that were given while the broker runs, the weakest first.
    pub(super) fn dynamic_settings(&self) -> [Properties; 2] {
        let [(own, _), (all, _), _] = self.broker_layers();
        [all, own]
    }

    /// A group's own settings, if it has any that the broker takes.
    pub(super) fn group_settings(&self, group: &str) -> Option<GroupConfig> {
        let own = self.image().settings(&ConfigResource::Group(group.into()))?;
        GroupConfig::effective(&properties(Some(own)), &self.setup.properties).ok()
    }

    /// What a topic's logs obey, and its `min.insync.replicas`.
    pub(super) fn log_config(&mut self, topic: &Rc<str>) -> (Rc<LogConfig>, usize) {
        let mut broker = Properties::new();
        for (layer, _) in self.broker_layers().into_iter().rev() {
            broker.extend(layer);
        }
        let given = properties(self.image().settings(&ConfigResource::Topic(topic.clone())));
        let effective = TopicConfig::effective(&given, &broker)
            // Settings that the controller has taken hold; without them the broker's do, which it started with.
            .or_else(|_| TopicConfig::effective(&Properties::new(), &self.setup.properties));
        let Ok(config) = effective else {
            return (Rc::new(LogConfig::default()), 1);
        };
        let jitter = config.segment_jitter_ms.min(config.segment_ms).max(0);
        let log = LogConfig {
            max_message_bytes: config.max_message_bytes,
            segment_bytes: config.segment_bytes,
            segment_ms: config.segment_ms,
            segment_jitter: self.random.below(jitter as u64) as i64,
            retention_ms: config.retention_ms,
            retention_bytes: config.retention_bytes,
            cleanup: CleanupPolicy {
                delete: config.delete,
                compact: config.compact,
            },
            delete_retention_ms: config.delete_retention_ms,
            min_compaction_lag_ms: config.min_compaction_lag_ms,
            min_cleanable_dirty_ratio: config.min_cleanable_dirty_ratio,
            max_compaction_lag_ms: config.max_compaction_lag_ms,
            compression: codec(config.compression_type),
            timestamp_type: match config.message_timestamp_type {
                TimestampType::CreateTime => batch::TimestampType::CreateTime,
                TimestampType::LogAppendTime => batch::TimestampType::LogAppendTime,
            },
            timestamp_before_max_ms: config.message_timestamp_before_max_ms,
            timestamp_after_max_ms: config.message_timestamp_after_max_ms,
            flush_messages: config.flush_messages,
            flush_ms: config.flush_ms,
            producer_id_expiration_ms: self.setup.config.producer_id_expiration_ms,
            transaction_verification: self.setup.config.transaction_partition_verification_enable,
        };
        let min_insync_replicas = usize::try_from(config.min_insync_replicas).unwrap_or(1);
        (Rc::new(log), min_insync_replicas)
    }

    pub(super) fn serve_describe_configs(&mut self, asker: Asker, request: &DescribeConfigsRequest, ctx: &mut Ctx) {
        let resources = request.resources.iter().map(|(resource, keys)| {
            let (error, configs) = match self.describe_config(resource) {
                Ok(all) => {
                    let wanted = |c: &DescribedConfig| keys.as_ref().is_none_or(|keys| keys.contains(&c.name));
                    let configs = all.into_iter().filter(wanted).collect();
                    ((ErrorCode::None, None), configs)
                }
                Err(error) => (error, Vec::new()),
            };
            (resource.clone(), error, configs)
        });
        let response = DescribeConfigsResponse {
            resources: resources.collect(),
        };
        self.reply(asker, Body::from(response), ctx);
    }

    /// [ConfigHelper.describeConfigs]
    fn describe_config(&self, resource: &ConfigResource) -> Result<Vec<DescribedConfig>, ApiError> {
        let own = properties(self.image().settings(resource));
        match resource {
            ConfigResource::Topic(name) => {
                if let Err(text) = topic_name::validate(name) {
                    return Err((ErrorCode::InvalidTopicException, Some(text.into())));
                }
                if self.image().topic_by_name(name).is_none() {
                    return Err((ErrorCode::UnknownTopicOrPartition, Some("".into())));
                }
                let mut layers = vec![(own, "DYNAMIC_TOPIC_CONFIG")];
                let broker = self.broker_layers();
                layers.extend(
                    broker
                        .iter()
                        .map(|(layer, source)| (defaults_from_broker(layer), *source)),
                );
                let mut all = described(Scope::Topic, &layers);
                for config in &mut all {
                    let names: Vec<&str> = broker_synonyms(&config.name).iter().map(|(name, _)| *name).collect();
                    config.synonyms = synonyms(&config.name, &layers[..1], &names, &broker);
                }
                Ok(all)
            }
            ConfigResource::Broker(id) if id.is_empty() => {
                let layer = (own, "DYNAMIC_DEFAULT_BROKER_CONFIG");
                let mut all = described(Scope::Broker, std::slice::from_ref(&layer));
                all.retain(|config| layer.0.contains_key(&*config.name));
                for config in &mut all {
                    config.synonyms = vec![(layer.1, config.name.clone(), config.value.clone())];
                }
                Ok(all)
            }
            ConfigResource::Broker(id) if **id == *self.me().to_string() => {
                let layers = self.broker_layers();
                let mut all = described(Scope::Broker, &layers);
                for config in &mut all {
                    config.synonyms = synonyms(&config.name, &[], &[&*config.name], &layers);
                }
                Ok(all)
            }
            ConfigResource::Broker(id) => {
                let me = self.me();
                let text = format!("Unexpected broker id, expected {me} or empty string, but received {id}");
                Err((ErrorCode::InvalidRequest, Some(text.into())))
            }
            ConfigResource::Group(_) => {
                let broker = self.broker_layers();
                let layer = [(own, "DYNAMIC_GROUP_CONFIG")];
                let described = |(name, text): (&String, &String)| {
                    let default = format!("group.{name}");
                    DescribedConfig {
                        name: name.as_str().into(),
                        value: Some(text.as_str().into()),
                        source: layer[0].1,
                        synonyms: synonyms(name, &layer, &[&default], &broker),
                    }
                };
                Ok(layer[0].0.iter().map(described).collect())
            }
        }
    }
}

fn codec(compression: Compression) -> Option<batch::Codec> {
    match compression {
        Compression::Producer => None,
        Compression::Uncompressed => Some(batch::Codec::None),
        Compression::Gzip => Some(batch::Codec::Gzip),
        Compression::Snappy => Some(batch::Codec::Snappy),
        Compression::Lz4 => Some(batch::Codec::Lz4),
        Compression::Zstd => Some(batch::Codec::Zstd),
    }
}

/// Every setting of a scope with its value in effect and where that comes from.
fn described(scope: Scope, layers: &[Layer]) -> Vec<DescribedConfig> {
    let keys = scope.keys().iter();
    keys.map(|definition| describe(scope, definition, layers)).collect()
}

fn describe(scope: Scope, definition: &Definition, layers: &[Layer]) -> DescribedConfig {
    let found = layers.iter().find(|(layer, _)| layer.contains_key(definition.name));
    let none = Properties::new();
    let (layer, source) = found.map_or((&none, "DEFAULT_CONFIG"), |(layer, source)| (layer, *source));
    // Values in effect have been checked; a default of no value is shown as none.
    let value = Values::trust(scope, layer).value(definition.name).ok();
    DescribedConfig {
        name: definition.name.into(),
        value: value.and_then(|value| value.text()).map(Into::into),
        source,
        synonyms: Vec::new(),
    }
}

/// Who sets a setting: its own layers under its name, the broker's under the names that stand in for it, the defaults of
/// those. [ConfigHelper.brokerSynonyms]
fn synonyms(name: &str, own: &[Layer], names: &[&str], broker: &[Layer]) -> Vec<ConfigSynonym> {
    let mut all = Vec::new();
    let given = |(layer, source): &Layer, name: &str| {
        let text = layer.get(name)?;
        Some((*source, Rc::from(name), Some(Rc::from(text.as_str()))))
    };
    for layer in broker {
        all.extend(names.iter().filter_map(|name| given(layer, name)));
    }
    for name in names {
        if let Some(Default::Is(text)) = Scope::Broker.find(name).map(|definition| definition.default) {
            all.push(("DEFAULT_CONFIG", Rc::from(*name), Some(Rc::from(text))));
        }
    }
    // What stands before the first that has the main name is not told. [ConfigHelper.configSynonyms]
    let main = |name: &str| names.first().is_some_and(|first| *first == name);
    let skipped = all.iter().take_while(|(_, name, _)| !main(name)).count();
    all.drain(..skipped);
    let own = own.iter().filter_map(|layer| given(layer, name));
    all.splice(0..0, own.collect::<Vec<_>>());
    all
}
