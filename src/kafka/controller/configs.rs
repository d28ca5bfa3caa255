//! Dynamic settings: which value is in effect for a topic, and IncrementalAlterConfigs.
//! [ConfigurationControlManager, KafkaConfigSchema, ControllerConfigurationValidator]

use super::answers::OK;
use super::election::TopicRules;
use super::note::Why;
use super::partition_change::ChangeRules;
use super::process::Controller;
use super::setup::{ELR_FEATURE, MIN_ISR, UNCLEAN};
use super::topics::refuse;
use crate::kafka::config::definition::{Default as ByDefault, Kind};
use crate::kafka::config::{GroupConfig, Properties, Scope, TopicConfig};
use crate::kafka::metadata::records::MetadataRecord;
use crate::kafka::protocol::admin::{
    AlterOp, ApiError, ConfigResource, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::topic_name;
use crate::kafka::types::{TopicId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// Longest value, in characters. [Short.MAX_VALUE]
const MAX_VALUE: usize = 32_767;

impl Controller {
    pub(super) fn elr_enabled(&self) -> bool {
        self.image.features.get(ELR_FEATURE).is_some_and(|level| *level > 0)
    }

    /// What of a topic's settings matters to its partitions.
    pub(super) fn topic_rules(&self, id: TopicId) -> TopicRules {
        let first = self.image.partitions.get(&TopicPartition::new(id, 0));
        let replicas = first.map_or(usize::MAX, |p| p.replicas.len());
        let min_isr = self.effective(id, MIN_ISR, |text| text.trim().parse().ok());
        let unclean = self.effective(id, UNCLEAN, |text| Some(text.trim().eq_ignore_ascii_case("true")));
        let metadata_version = self.image.features.get("metadata.version").copied();
        let rules = ChangeRules::new(min_isr.unwrap_or(1).min(replicas));
        TopicRules {
            change: ChangeRules {
                elr_enabled: self.elr_enabled(),
                metadata_version: metadata_version.unwrap_or(rules.metadata_version),
                ..rules
            },
            unclean: unclean.unwrap_or(false),
        }
    }

    /// A setting of a topic as the controller has it: the topic's own, this node's dynamic one, that of all nodes, the
    /// static one, the default. Both settings asked for here have the same name and unit everywhere.
    /// [KafkaConfigSchema.resolveEffectiveTopicConfig]
    fn effective<T>(&self, id: TopicId, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let dynamic = |resource: &ConfigResource| self.image.settings(resource)?.get(name).map(|value| &**value);
        let topic = self
            .image
            .name_of(id)
            .map(|name| ConfigResource::Topic(Rc::clone(name)));
        let found = topic.as_ref().and_then(dynamic);
        let found = found.or_else(|| dynamic(&self.setup.own_settings));
        let found = found.or_else(|| dynamic(&self.setup.cluster_settings));
        let found = found.or_else(|| self.setup.given.get(name).map(|text| &**text));
        let found = found.or_else(|| match Scope::Topic.find(name)?.default {
            ByDefault::Is(text) => Some(text),
            ByDefault::Null | ByDefault::Required => None,
        });
        found.and_then(read)
    }

    /// With eligible leader replicas on, `min.insync.replicas` is a setting of the whole cluster: activation writes it.
    /// [ActivationRecordsGenerator]
    pub(super) fn elr_safety_record(&self) -> Option<MetadataRecord> {
        let enabled = self.setup.features.get(ELR_FEATURE).is_some_and(|level| *level > 0);
        enabled.then(|| MetadataRecord::Config {
            resource: self.setup.cluster_settings.clone(),
            name: MIN_ISR.into(),
            value: Some(self.setup.config.min_insync_replicas.to_string().into()),
        })
    }

    pub(super) fn alter_configs(
        &mut self,
        request: &IncrementalAlterConfigsRequest,
        ctx: &mut Ctx,
    ) -> IncrementalAlterConfigsResponse {
        let mut times: OrderedMap<&ConfigResource, usize> = OrderedMap::new();
        for (resource, _) in &request.resources {
            *times.entry(resource).or_default() += 1;
        }
        let mut records = Vec::new();
        let mut resources: Vec<(ConfigResource, ApiError)> = Vec::new();
        for (resource, ops) in &request.resources {
            // What is named more than once is refused, once.
            match times.get_mut(resource) {
                Some(1) => {}
                Some(0) | None => continue,
                Some(times) => {
                    *times = 0;
                    let error = (ErrorCode::InvalidRequest, Some("Duplicate resource.".into()));
                    resources.push((resource.clone(), error));
                    continue;
                }
            }
            let ops: OrderedMap<Rc<str>, AlterOp> = ops.iter().cloned().collect();
            let error = match self.alter_resource(resource, &ops, false) {
                Ok(altered) => {
                    records.extend(altered);
                    OK
                }
                Err(error) => error,
            };
            resources.push((resource.clone(), error));
        }
        let clear = self.clear_elr_records(&records, |name| self.image.ids.get(name).copied());
        records.extend(clear);
        if !request.validate_only {
            self.commit(records, Why::Configs, ctx);
        }
        IncrementalAlterConfigsResponse { resources }
    }

    /// The records of changed settings of one resource.
    ///
    /// # Errors
    /// INVALID_CONFIG and the other answers of the real controller; then nothing of the resource changes.
    /// [ConfigurationControlManager.incrementalAlterConfigResource]
    pub(super) fn alter_resource(
        &self,
        resource: &ConfigResource,
        ops: &OrderedMap<Rc<str>, AlterOp>,
        new: bool,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let now = self.image.settings(resource);
        let mut all: Properties = now
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        let mut records = Vec::new();
        for (name, op) in ops {
            let current = now.and_then(|settings| settings.get(name));
            let value = altered_value(resource, name, current, op)?;
            // A broker reads a record even if nothing changes: it may have to load a file anew.
            if value.as_ref() == current && !matches!(resource, ConfigResource::Broker(_)) {
                continue;
            }
            self.check_min_isr_change(resource, name, value.is_none())?;
            match &value {
                Some(value) if value.encode_utf16().count() > MAX_VALUE => {
                    let text = format!(
                        "The configuration value cannot be added because it exceeds the maximum value size of \
                         {MAX_VALUE} bytes."
                    );
                    return refuse(ErrorCode::InvalidConfig, text);
                }
                Some(value) => {
                    all.insert(name.to_string(), value.to_string());
                }
                None => {
                    all.remove(&**name);
                }
            }
            records.push(MetadataRecord::Config {
                resource: resource.clone(),
                name: Rc::clone(name),
                value,
            });
        }
        self.validate_settings(resource, &all)?;
        if !new {
            self.check_resource_exists(resource)?;
        }
        Ok(records)
    }

    /// With eligible leader replicas on, all brokers have to have the same `min.insync.replicas`.
    fn check_min_isr_change(&self, resource: &ConfigResource, name: &str, removed: bool) -> Result<(), ApiError> {
        let ConfigResource::Broker(broker) = resource else {
            return Ok(());
        };
        if name != MIN_ISR || !self.elr_enabled() {
            return Ok(());
        }
        if !broker.is_empty() {
            let text = "Broker-level min.insync.replicas cannot be altered while ELR is enabled.";
            return refuse(ErrorCode::InvalidConfig, text);
        }
        if removed {
            let text = "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.";
            return refuse(ErrorCode::InvalidConfig, text);
        }
        Ok(())
    }

    /// [ControllerConfigurationValidator.validate]
    fn validate_settings(&self, resource: &ConfigResource, all: &Properties) -> Result<(), ApiError> {
        match resource {
            ConfigResource::Topic(name) if name.is_empty() => {
                refuse(ErrorCode::InvalidRequest, "Default topic resources are not allowed.")
            }
            ConfigResource::Topic(name) => {
                topic_name::validate(name).or_else(|text| refuse(ErrorCode::InvalidTopicException, text))?;
                let checked = TopicConfig::effective(all, &self.setup.given);
                checked
                    .map(drop)
                    .or_else(|e| refuse(ErrorCode::InvalidConfig, e.message))
            }
            ConfigResource::Broker(name) if name.is_empty() => Ok(()),
            ConfigResource::Broker(name) => match name.parse::<i32>() {
                Ok(id) if id < 0 => refuse(ErrorCode::InvalidRequest, "Invalid negative broker ID."),
                Ok(_) => Ok(()),
                Err(_) => refuse(
                    ErrorCode::InvalidRequest,
                    "Unable to parse broker name as a base 10 number.",
                ),
            },
            ConfigResource::Group(name) if name.is_empty() => {
                refuse(ErrorCode::InvalidRequest, "Default group resources are not allowed.")
            }
            ConfigResource::Group(_) => {
                let checked = GroupConfig::effective(all, &self.setup.given);
                checked
                    .map(drop)
                    .or_else(|e| refuse(ErrorCode::InvalidConfig, e.message))
            }
        }
    }

    /// [QuorumController.ConfigResourceExistenceChecker]
    fn check_resource_exists(&self, resource: &ConfigResource) -> Result<(), ApiError> {
        match resource {
            ConfigResource::Topic(name) if !self.image.ids.contains_key(name) => refuse(
                ErrorCode::UnknownTopicOrPartition,
                format!("The topic '{name}' does not exist."),
            ),
            ConfigResource::Broker(name) if !name.is_empty() => {
                let known = |id: i32| self.is_registered(id) || self.setup.voters.contains_key(&id);
                match name.parse::<i32>() {
                    Ok(id) if known(id) => Ok(()),
                    _ => refuse(
                        ErrorCode::BrokerIdNotRegistered,
                        format!("No node with id {name} found."),
                    ),
                }
            }
            _ => Ok(()),
        }
    }

    /// Whoever was eligible under another `min.insync.replicas` is so no more (rule R-60). `topic` finds a topic's id.
    /// [ConfigurationControlManager.createClearElrRecordsAsNeeded]
    pub(super) fn clear_elr_records(
        &self,
        records: &[MetadataRecord],
        topic: impl Fn(&Rc<str>) -> Option<TopicId>,
    ) -> Vec<MetadataRecord> {
        if !self.elr_enabled() {
            return Vec::new();
        }
        let clear = |record: &MetadataRecord| match record {
            MetadataRecord::Config { resource, name, .. } if &**name == MIN_ISR => match resource {
                ConfigResource::Topic(name) => topic(name).map(|id| MetadataRecord::ClearElr { topic: Some(id) }),
                _ => Some(MetadataRecord::ClearElr { topic: None }),
            },
            _ => None,
        };
        records.iter().filter_map(clear).collect()
    }
}

/// The value after an operation; `None`: not set any more.
fn altered_value(
    resource: &ConfigResource,
    name: &Rc<str>,
    current: Option<&Rc<str>>,
    op: &AlterOp,
) -> Result<Option<Rc<str>>, ApiError> {
    let (given, verb) = match op {
        AlterOp::Set(value) => return Ok(Some(Rc::clone(value))),
        AlterOp::Delete => return Ok(None),
        AlterOp::Append(value) => (value, "APPEND"),
        AlterOp::Subtract(value) => (value, "SUBTRACT"),
    };
    let scope = match resource {
        ConfigResource::Topic(_) => Some(Scope::Topic),
        ConfigResource::Broker(_) => Some(Scope::Broker),
        ConfigResource::Group(_) => None,
    };
    let definition = scope.and_then(|scope| scope.find(name));
    let Some(definition) = definition.filter(|d| d.kind == Kind::List) else {
        let text = format!("Can't {verb} to key {name} because its type is not LIST.");
        return refuse(ErrorCode::InvalidConfig, text);
    };
    let before = match (current, definition.default) {
        (Some(value), _) => value,
        (None, ByDefault::Is(text)) => text,
        (None, ByDefault::Null | ByDefault::Required) => "",
    };
    let mut parts: Vec<&str> = before.split(',').filter(|part| !part.is_empty()).collect();
    for part in given.split(',') {
        match (op, parts.iter().position(|p| *p == part)) {
            (AlterOp::Append(_), None) => parts.push(part),
            (AlterOp::Subtract(_), Some(index)) => {
                parts.remove(index);
            }
            _ => {}
        }
    }
    Ok(Some(parts.join(",").into()))
}
