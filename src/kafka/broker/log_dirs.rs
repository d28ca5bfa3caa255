//! What lies in a broker's log directory. It has one: of several that are set, the first.
//! [KafkaApis.handleDescribeLogDirsRequest, ReplicaManager.describeLogDirs]

use super::requests::Asker;
use super::server::Server;
use crate::kafka::protocol::Body;
use crate::kafka::protocol::admin::{DescribeLogDirsResponse, ReplicaInDir};
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Ctx;
use std::rc::Rc;

/// `log.dir` of a broker that says nothing.
const DEFAULT_DIR: &str = "/tmp/kafka-logs";

impl Server {
    pub(super) fn serve_describe_log_dirs(&mut self, asker: Asker, ctx: &mut Ctx) {
        let replicas = self.replicas.iter().map(|(id, replica)| ReplicaInDir {
            partition: NamedPartition {
                topic: replica.topic.clone(),
                partition: id.partition,
            },
            size: i64::try_from(replica.log.size()).unwrap_or(i64::MAX),
            offset_lag: (replica.log.high_watermark() - replica.log.end_offset()).max(0),
        });
        let response = DescribeLogDirsResponse {
            dir: self.log_dir(),
            replicas: replicas.collect(),
        };
        self.reply(asker, Body::from(response), ctx);
    }

    fn log_dir(&self) -> Rc<str> {
        let given = |key: &str| self.setup.properties.get(key).map(String::as_str);
        let all = given("log.dirs").or_else(|| given("log.dir")).unwrap_or(DEFAULT_DIR);
        all.split(',').next().unwrap_or(all).trim().into()
    }
}
