//! What a controller is started with: its place in the quorum, its settings, the cluster's features.

use crate::kafka::config::{BrokerConfig, ConfigError, Properties};
use crate::kafka::fixes::Fixes;
use crate::kafka::listeners::Listener;
use crate::kafka::protocol::admin::ConfigResource;
use crate::kafka::types::NodeId;
use crate::kafka::wire::KAFKA_PORT;
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// The features of a fresh 4.3.1 cluster and their levels. [Feature.defaultLevel]
pub const FEATURES: [(&str, i16); 7] = [
    ("eligible.leader.replicas.version", 1),
    ("group.version", 1),
    ("kraft.version", 1),
    ("metadata.version", 30),
    ("share.version", 1),
    ("streams.version", 1),
    ("transaction.version", 2),
];

/// What decides whether eligible leader replicas are kept (KIP-966).
pub const ELR_FEATURE: &str = "eligible.leader.replicas.version";

/// `min.insync.replicas`
pub const MIN_ISR: &str = "min.insync.replicas";

/// `unclean.leader.election.enable`
pub const UNCLEAN: &str = "unclean.leader.election.enable";

/// What a controller is started with.
#[derive(Clone, Debug)]
pub struct ControllerSetup {
    pub id: NodeId,
    /// Every voter of the quorum and its host, with the port if it is not the usual one.
    pub voters: OrderedMap<NodeId, Rc<str>>,
    pub cluster_id: Rc<str>,
    /// The static settings as given.
    pub given: Properties,
    /// The same, typed.
    pub config: BrokerConfig,
    /// Feature levels that an empty metadata log is begun with.
    pub features: OrderedMap<&'static str, i16>,
    pub seed: u64,
    pub listener: Listener,
    /// Famous fixes that its version has.
    pub fixes: Fixes,
    /// Dynamic settings of this very node and of all nodes, as resources.
    pub(super) own_settings: ConfigResource,
    pub(super) cluster_settings: ConfigResource,
}

impl ControllerSetup {
    /// A controller's setup. `config` holds for brokers and controllers, `controller_config` lies above it; features
    /// that `features` doesn't name have the level of a fresh cluster.
    ///
    /// # Errors
    /// What the process says when it refuses to start: a setting's text, or a feature that 4.3.1 doesn't know.
    pub fn new(
        id: NodeId,
        voters: OrderedMap<NodeId, Rc<str>>,
        cluster_id: &str,
        (config, controller_config): (&Properties, &Properties),
        features: &OrderedMap<String, i16>,
        seed: u64,
    ) -> Result<ControllerSetup, ConfigError> {
        let mut given = config.clone();
        given.extend(controller_config.iter().map(|(k, v)| (k.clone(), v.clone())));
        let mut levels: OrderedMap<&'static str, i16> = FEATURES.into_iter().collect();
        for (name, level) in features {
            let known = FEATURES.iter().find(|(known, _)| known == name);
            let Some((known, _)) = known else {
                let text = format!("Unsupported feature: {name}.");
                return Err(ConfigError::of("IllegalArgumentException", text));
            };
            levels.insert(known, *level);
        }
        Ok(ControllerSetup {
            id,
            voters,
            cluster_id: cluster_id.into(),
            config: BrokerConfig::from_map(&given)?,
            given,
            features: levels,
            seed,
            listener: Listener {
                name: "CONTROLLER".into(),
                port: KAFKA_PORT,
                local: false,
            },
            fixes: Fixes::default(),
            own_settings: ConfigResource::Broker(id.to_string().into()),
            cluster_settings: ConfigResource::Broker("".into()),
        })
    }
}
