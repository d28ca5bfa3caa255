//! Settings of brokers and controllers (`KafkaConfig`), by name, and which of them can change at run time.

use super::super::definition::Default::{Is, Null, Required};
use super::super::definition::Emptiness::{Anything, Filled, FilledOrNull, MayBeEmpty};
use super::super::definition::Valid::{
    Any, AtLeast, Between, BootstrapServers, Decimals, GzipLevel, List, NonEmpty, NonNull, OneOf, OneOfAnyCase,
    QuorumVoters,
};
use super::super::definition::definitions;

definitions! {
    "add.partitions.to.txn.retry.backoff.max.ms": Int = Is("100"), AtLeast(0);
    "add.partitions.to.txn.retry.backoff.ms": Int = Is("20"), AtLeast(1);
    "advertised.listeners": List = Null, List(FilledOrNull, &[]);
    "alter.config.policy.class.name": Class = Null, Any;
    "alter.log.dirs.replication.quota.window.num": Int = Is("11"), AtLeast(1);
    "alter.log.dirs.replication.quota.window.size.seconds": Int = Is("1"), AtLeast(1);
    "authorizer.class.name": Text = Is(""), NonNull;
    "auto.create.topics.enable": Boolean = Is("true"), Any;
    "auto.leader.rebalance.enable": Boolean = Is("true"), Any;
    "background.threads": Int = Is("10"), AtLeast(1);
    "broker.heartbeat.interval.ms": Int = Is("2000"), Any;
    "broker.id": Int = Is("-1"), Any;
    "broker.rack": Text = Null, Any;
    "broker.session.timeout.ms": Int = Is("9000"), Any;
    "client.quota.callback.class": Class = Null, Any;
    "compression.gzip.level": Int = Is("-1"), GzipLevel;
    "compression.lz4.level": Int = Is("9"), Between(1, 17);
    "compression.type": Text = Is("producer"), OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]);
    "compression.zstd.level": Int = Is("3"), Between(-131072, 22);
    "config.providers": List = Is(""), List(MayBeEmpty, &[]);
    "connection.failed.authentication.delay.ms": Int = Is("100"), AtLeast(0);
    "connections.max.idle.ms": Long = Is("600000"), Any;
    "connections.max.reauth.ms": Long = Is("0"), Any;
    "controlled.shutdown.enable": Boolean = Is("true"), Any;
    "controller.listener.names": List = Required, List(Filled, &[]);
    "controller.performance.always.log.threshold.ms": Long = Is("2000"), AtLeast(0);
    "controller.performance.sample.period.ms": Long = Is("60000"), AtLeast(100);
    "controller.quorum.append.linger.ms": Int = Is("25"), AtLeast(0);
    "controller.quorum.auto.join.enable": Boolean = Is("false"), Any;
    "controller.quorum.bootstrap.servers": List = Is(""), BootstrapServers;
    "controller.quorum.election.backoff.max.ms": Int = Is("1000"), AtLeast(0);
    "controller.quorum.election.timeout.ms": Int = Is("1000"), AtLeast(0);
    "controller.quorum.fetch.max.bytes": Int = Is("1048576"), AtLeast(1);
    "controller.quorum.fetch.snapshot.max.bytes": Int = Is("1048576"), AtLeast(1);
    "controller.quorum.fetch.timeout.ms": Int = Is("2000"), AtLeast(0);
    "controller.quorum.request.timeout.ms": Int = Is("2000"), AtLeast(0);
    "controller.quorum.retry.backoff.ms": Int = Is("20"), AtLeast(0);
    "controller.quorum.voters": List = Is(""), QuorumVoters;
    "controller.quota.window.num": Int = Is("11"), AtLeast(1);
    "controller.quota.window.size.seconds": Int = Is("1"), AtLeast(1);
    "controller.socket.timeout.ms": Int = Is("30000"), Any;
    "cordoned.log.dirs": List = Is(""), List(MayBeEmpty, &[]);
    "create.topic.policy.class.name": Class = Null, Any;
    "default.replication.factor": Int = Is("1"), Any;
    "delegation.token.expiry.check.interval.ms": Long = Is("3600000"), AtLeast(1);
    "delegation.token.expiry.time.ms": Long = Is("86400000"), AtLeast(1);
    "delegation.token.max.lifetime.ms": Long = Is("604800000"), AtLeast(1);
    "delegation.token.secret.key": Password = Null, Any;
    "delete.records.purgatory.purge.interval.requests": Int = Is("1"), Any;
    "delete.topic.enable": Boolean = Is("true"), Any;
    "early.start.listeners": List = Null, List(Anything, &[]);
    "fetch.max.bytes": Int = Is("57671680"), AtLeast(1024);
    "fetch.purgatory.purge.interval.requests": Int = Is("1000"), Any;
    "follower.fetch.last.tiered.offset.enable": Boolean = Is("false"), Any;
    "follower.replication.throttled.rate": Long = Is("9223372036854775807"), AtLeast(0);
    "group.consumer.assignment.interval.ms": Int = Is("1000"), AtLeast(0);
    "group.consumer.assignors": List = Is("uniform,range"), List(Filled, &[]);
    "group.consumer.heartbeat.interval.ms": Int = Is("5000"), AtLeast(1);
    "group.consumer.max.assignment.interval.ms": Int = Is("15000"), AtLeast(0);
    "group.consumer.max.heartbeat.interval.ms": Int = Is("15000"), AtLeast(1);
    "group.consumer.max.session.timeout.ms": Int = Is("60000"), AtLeast(1);
    "group.consumer.max.size": Int = Is("2147483647"), AtLeast(1);
    "group.consumer.migration.policy": Text = Is("bidirectional"), OneOfAnyCase(&["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"]);
    "group.consumer.min.assignment.interval.ms": Int = Is("0"), AtLeast(0);
    "group.consumer.min.heartbeat.interval.ms": Int = Is("5000"), AtLeast(1);
    "group.consumer.min.session.timeout.ms": Int = Is("45000"), AtLeast(1);
    "group.consumer.regex.refresh.interval.ms": Int = Is("600000"), AtLeast(10000);
    "group.consumer.session.timeout.ms": Int = Is("45000"), AtLeast(1);
    "group.coordinator.append.linger.ms": Int = Is("-1"), AtLeast(-1);
    "group.coordinator.background.threads": Int = Is("2"), AtLeast(1);
    "group.coordinator.cached.buffer.max.bytes": Int = Is("1048588"), AtLeast(524288);
    "group.coordinator.rebalance.protocols": List = Is("classic,consumer,streams"), List(Filled, &["consumer", "classic", "share", "streams"]);
    "group.coordinator.threads": Int = Is("4"), AtLeast(1);
    "group.initial.rebalance.delay.ms": Int = Is("3000"), Any;
    "group.max.session.timeout.ms": Int = Is("1800000"), Any;
    "group.max.size": Int = Is("2147483647"), AtLeast(1);
    "group.min.session.timeout.ms": Int = Is("6000"), Any;
    "group.share.assignment.interval.ms": Int = Is("1000"), AtLeast(0);
    "group.share.assignors": List = Is("simple"), List(Filled, &[]);
    "group.share.delivery.count.limit": Int = Is("5"), Between(2, 10);
    "group.share.heartbeat.interval.ms": Int = Is("5000"), AtLeast(1);
    "group.share.initialize.retry.interval.ms": Int = Is("30000"), AtLeast(1);
    "group.share.max.assignment.interval.ms": Int = Is("15000"), AtLeast(0);
    "group.share.max.delivery.count.limit": Int = Is("10"), Between(5, 25);
    "group.share.max.heartbeat.interval.ms": Int = Is("15000"), AtLeast(1);
    "group.share.max.partition.max.record.locks": Int = Is("4000"), Between(2000, 10000);
    "group.share.max.record.lock.duration.ms": Int = Is("60000"), Between(30000, 3600000);
    "group.share.max.session.timeout.ms": Int = Is("60000"), AtLeast(1);
    "group.share.max.share.sessions": Int = Is("2000"), AtLeast(1);
    "group.share.max.size": Int = Is("200"), Between(1, 1000);
    "group.share.min.assignment.interval.ms": Int = Is("0"), AtLeast(0);
    "group.share.min.delivery.count.limit": Int = Is("2"), Between(2, 5);
    "group.share.min.heartbeat.interval.ms": Int = Is("5000"), AtLeast(1);
    "group.share.min.partition.max.record.locks": Int = Is("100"), Between(100, 2000);
    "group.share.min.record.lock.duration.ms": Int = Is("15000"), Between(1000, 30000);
    "group.share.min.session.timeout.ms": Int = Is("45000"), AtLeast(1);
    "group.share.partition.max.record.locks": Int = Is("2000"), Between(100, 10000);
    "group.share.persister.class.name": Text = Is("org.apache.kafka.server.share.persister.DefaultStatePersister"), Any;
    "group.share.record.lock.duration.ms": Int = Is("30000"), Between(1000, 3600000);
    "group.share.session.timeout.ms": Int = Is("45000"), AtLeast(1);
    "group.streams.assignment.interval.ms": Int = Is("1000"), AtLeast(0);
    "group.streams.heartbeat.interval.ms": Int = Is("5000"), AtLeast(1);
    "group.streams.initial.rebalance.delay.ms": Int = Is("3000"), AtLeast(0);
    "group.streams.max.assignment.interval.ms": Int = Is("15000"), AtLeast(0);
    "group.streams.max.heartbeat.interval.ms": Int = Is("15000"), AtLeast(1);
    "group.streams.max.session.timeout.ms": Int = Is("60000"), AtLeast(1);
    "group.streams.max.size": Int = Is("2147483647"), AtLeast(1);
    "group.streams.max.standby.replicas": Int = Is("2"), AtLeast(0);
    "group.streams.min.assignment.interval.ms": Int = Is("0"), AtLeast(0);
    "group.streams.min.heartbeat.interval.ms": Int = Is("5000"), AtLeast(1);
    "group.streams.min.session.timeout.ms": Int = Is("45000"), AtLeast(1);
    "group.streams.num.standby.replicas": Int = Is("0"), AtLeast(0);
    "group.streams.session.timeout.ms": Int = Is("45000"), AtLeast(1);
    "initial.broker.registration.timeout.ms": Int = Is("60000"), Any;
    "inter.broker.listener.name": Text = Null, Any;
    "internal.metadata.delete.delay.millis": Long = Is("60000"), Any;
    "internal.metadata.log.segment.bytes": Int = Null, Any;
    "internal.metadata.max.batch.size.in.bytes": Int = Is("8388608"), Any;
    "kafka.metrics.polling.interval.secs": Int = Is("10"), AtLeast(1);
    "kafka.metrics.reporters": List = Is(""), List(MayBeEmpty, &[]);
    "leader.imbalance.check.interval.seconds": Long = Is("300"), AtLeast(1);
    "leader.replication.throttled.rate": Long = Is("9223372036854775807"), AtLeast(0);
    "listener.security.protocol.map": Text = Is("SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT"), Any;
    "listeners": List = Is("PLAINTEXT://:9092"), List(Filled, &[]);
    "log.cleaner.backoff.ms": Long = Is("15000"), AtLeast(0);
    "log.cleaner.dedupe.buffer.size": Long = Is("134217728"), Any;
    "log.cleaner.delete.retention.ms": Long = Is("86400000"), AtLeast(0);
    "log.cleaner.enable": Boolean = Is("true"), Any;
    "log.cleaner.io.buffer.load.factor": Double = Is("0.9"), Any;
    "log.cleaner.io.buffer.size": Int = Is("524288"), AtLeast(0);
    "log.cleaner.io.max.bytes.per.second": Double = Is("1.7976931348623157E308"), Any;
    "log.cleaner.max.compaction.lag.ms": Long = Is("9223372036854775807"), AtLeast(1);
    "log.cleaner.min.cleanable.ratio": Double = Is("0.5"), Decimals("0", "1");
    "log.cleaner.min.compaction.lag.ms": Long = Is("0"), AtLeast(0);
    "log.cleaner.threads": Int = Is("1"), AtLeast(0);
    "log.cleanup.policy": List = Is("delete"), List(MayBeEmpty, &["compact", "delete"]);
    "log.dir": List = Is("/tmp/kafka-logs"), List(Filled, &[]);
    "log.dir.failure.timeout.ms": Long = Is("30000"), AtLeast(1);
    "log.dirs": List = Null, List(FilledOrNull, &[]);
    "log.flush.interval.messages": Long = Is("9223372036854775807"), AtLeast(1);
    "log.flush.interval.ms": Long = Null, Any;
    "log.flush.offset.checkpoint.interval.ms": Int = Is("60000"), AtLeast(0);
    "log.flush.scheduler.interval.ms": Long = Is("9223372036854775807"), Any;
    "log.flush.start.offset.checkpoint.interval.ms": Int = Is("60000"), AtLeast(0);
    "log.index.interval.bytes": Int = Is("4096"), AtLeast(0);
    "log.index.size.max.bytes": Int = Is("10485760"), AtLeast(4);
    "log.initial.task.delay.ms": Long = Is("30000"), AtLeast(0);
    "log.local.retention.bytes": Long = Is("-2"), AtLeast(-2);
    "log.local.retention.ms": Long = Is("-2"), AtLeast(-2);
    "log.message.timestamp.after.max.ms": Long = Is("3600000"), AtLeast(0);
    "log.message.timestamp.before.max.ms": Long = Is("9223372036854775807"), AtLeast(0);
    "log.message.timestamp.type": Text = Is("CreateTime"), OneOf(&["CreateTime", "LogAppendTime"]);
    "log.preallocate": Boolean = Is("false"), Any;
    "log.retention.bytes": Long = Is("-1"), Any;
    "log.retention.check.interval.ms": Long = Is("300000"), AtLeast(1);
    "log.retention.hours": Int = Is("168"), Any;
    "log.retention.minutes": Int = Null, Any;
    "log.retention.ms": Long = Null, Any;
    "log.roll.hours": Int = Is("168"), AtLeast(1);
    "log.roll.jitter.hours": Int = Is("0"), AtLeast(0);
    "log.roll.jitter.ms": Long = Null, Any;
    "log.roll.ms": Long = Null, Any;
    "log.segment.bytes": Int = Is("1073741824"), AtLeast(1048576);
    "log.segment.delete.delay.ms": Long = Is("60000"), AtLeast(0);
    "max.connection.creation.rate": Int = Is("2147483647"), AtLeast(0);
    "max.connections": Int = Is("2147483647"), AtLeast(0);
    "max.connections.per.ip": Int = Is("2147483647"), AtLeast(0);
    "max.connections.per.ip.overrides": Text = Is(""), Any;
    "max.incremental.fetch.session.cache.slots": Int = Is("1000"), AtLeast(0);
    "max.request.partition.size.limit": Int = Is("2000"), AtLeast(1);
    "message.max.bytes": Int = Is("1048588"), AtLeast(0);
    "metadata.log.dir": Text = Null, Any;
    "metadata.log.max.record.bytes.between.snapshots": Long = Is("20971520"), AtLeast(1);
    "metadata.log.max.snapshot.interval.ms": Long = Is("3600000"), AtLeast(0);
    "metadata.log.segment.bytes": Int = Is("1073741824"), AtLeast(8388608);
    "metadata.log.segment.ms": Long = Is("604800000"), Any;
    "metadata.max.idle.interval.ms": Int = Is("500"), AtLeast(0);
    "metadata.max.retention.bytes": Long = Is("104857600"), Any;
    "metadata.max.retention.ms": Long = Is("604800000"), Any;
    "metric.reporters": List = Is("org.apache.kafka.common.metrics.JmxReporter"), List(MayBeEmpty, &[]);
    "metrics.num.samples": Int = Is("2"), AtLeast(1);
    "metrics.recording.level": Text = Is("INFO"), Any;
    "metrics.sample.window.ms": Long = Is("30000"), AtLeast(1);
    "min.insync.replicas": Int = Is("1"), AtLeast(1);
    "node.id": Int = Required, AtLeast(0);
    "num.io.threads": Int = Is("8"), AtLeast(1);
    "num.network.threads": Int = Is("3"), AtLeast(1);
    "num.partitions": Int = Is("1"), AtLeast(1);
    "num.recovery.threads.per.data.dir": Int = Is("2"), AtLeast(1);
    "num.replica.alter.log.dirs.threads": Int = Null, Any;
    "num.replica.fetchers": Int = Is("1"), AtLeast(1);
    "offset.metadata.max.bytes": Int = Is("4096"), Any;
    "offsets.commit.timeout.ms": Int = Is("5000"), AtLeast(1);
    "offsets.load.buffer.size": Int = Is("5242880"), AtLeast(1);
    "offsets.retention.check.interval.ms": Long = Is("600000"), AtLeast(1);
    "offsets.retention.minutes": Int = Is("10080"), AtLeast(1);
    "offsets.topic.compression.codec": Int = Is("0"), Any;
    "offsets.topic.num.partitions": Int = Is("50"), AtLeast(1);
    "offsets.topic.replication.factor": Short = Is("3"), AtLeast(1);
    "offsets.topic.segment.bytes": Int = Is("104857600"), AtLeast(1);
    "principal.builder.class": Class = Is("org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder"), Any;
    "process.roles": List = Required, List(Filled, &["broker", "controller"]);
    "producer.id.expiration.check.interval.ms": Int = Is("600000"), AtLeast(1);
    "producer.id.expiration.ms": Int = Is("86400000"), AtLeast(1);
    "producer.purgatory.purge.interval.requests": Int = Is("1000"), Any;
    "queued.max.request.bytes": Long = Is("-1"), Any;
    "queued.max.requests": Int = Is("500"), AtLeast(1);
    "quota.window.num": Int = Is("11"), AtLeast(1);
    "quota.window.size.seconds": Int = Is("1"), AtLeast(1);
    "remote.fetch.max.wait.ms": Int = Is("500"), AtLeast(1);
    "remote.list.offsets.request.timeout.ms": Long = Is("30000"), AtLeast(1);
    "remote.log.index.file.cache.total.size.bytes": Long = Is("1073741824"), AtLeast(1);
    "remote.log.index.file.cache.ttl.ms": Long = Is("900000"), AtLeast(-1);
    "remote.log.manager.copier.thread.pool.size": Int = Is("10"), AtLeast(1);
    "remote.log.manager.copy.max.bytes.per.second": Long = Is("9223372036854775807"), AtLeast(1);
    "remote.log.manager.copy.quota.window.num": Int = Is("11"), AtLeast(1);
    "remote.log.manager.copy.quota.window.size.seconds": Int = Is("1"), AtLeast(1);
    "remote.log.manager.expiration.thread.pool.size": Int = Is("10"), AtLeast(1);
    "remote.log.manager.fetch.max.bytes.per.second": Long = Is("9223372036854775807"), AtLeast(1);
    "remote.log.manager.fetch.quota.window.num": Int = Is("11"), AtLeast(1);
    "remote.log.manager.fetch.quota.window.size.seconds": Int = Is("1"), AtLeast(1);
    "remote.log.manager.follower.thread.pool.size": Int = Is("2"), AtLeast(1);
    "remote.log.manager.task.interval.ms": Long = Is("30000"), AtLeast(1);
    "remote.log.manager.task.retry.backoff.max.ms": Long = Is("30000"), AtLeast(1);
    "remote.log.manager.task.retry.backoff.ms": Long = Is("500"), AtLeast(1);
    "remote.log.manager.task.retry.jitter": Double = Is("0.2"), Decimals("0", "0.5");
    "remote.log.manager.thread.pool.size": Int = Is("2"), AtLeast(1);
    "remote.log.metadata.custom.metadata.max.bytes": Int = Is("128"), AtLeast(0);
    "remote.log.metadata.manager.class.name": Text = Is("org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager"), NonEmpty;
    "remote.log.metadata.manager.class.path": Text = Null, Any;
    "remote.log.metadata.manager.impl.prefix": Text = Is("rlmm.config."), NonEmpty;
    "remote.log.metadata.manager.listener.name": Text = Null, NonEmpty;
    "remote.log.reader.max.pending.tasks": Int = Is("100"), AtLeast(1);
    "remote.log.reader.threads": Int = Is("10"), AtLeast(1);
    "remote.log.storage.manager.class.name": Text = Null, NonEmpty;
    "remote.log.storage.manager.class.path": Text = Null, Any;
    "remote.log.storage.manager.impl.prefix": Text = Is("rsm.config."), NonEmpty;
    "remote.log.storage.system.enable": Boolean = Is("false"), Any;
    "replica.alter.log.dirs.io.max.bytes.per.second": Long = Is("9223372036854775807"), AtLeast(0);
    "replica.fetch.backoff.ms": Int = Is("1000"), AtLeast(0);
    "replica.fetch.max.bytes": Int = Is("1048576"), AtLeast(0);
    "replica.fetch.min.bytes": Int = Is("1"), Any;
    "replica.fetch.response.max.bytes": Int = Is("10485760"), AtLeast(0);
    "replica.fetch.wait.max.ms": Int = Is("500"), Any;
    "replica.high.watermark.checkpoint.interval.ms": Long = Is("5000"), Any;
    "replica.lag.time.max.ms": Long = Is("30000"), Any;
    "replica.selector.class": Text = Null, Any;
    "replica.socket.receive.buffer.bytes": Int = Is("65536"), Any;
    "replica.socket.timeout.ms": Int = Is("30000"), Any;
    "replication.quota.window.num": Int = Is("11"), AtLeast(1);
    "replication.quota.window.size.seconds": Int = Is("1"), AtLeast(1);
    "request.timeout.ms": Int = Is("30000"), Any;
    "sasl.client.callback.handler.class": Class = Null, Any;
    "sasl.enabled.mechanisms": List = Is("GSSAPI"), List(Filled, &[]);
    "sasl.jaas.config": Password = Null, Any;
    "sasl.kerberos.kinit.cmd": Text = Is("/usr/bin/kinit"), Any;
    "sasl.kerberos.min.time.before.relogin": Long = Is("60000"), Any;
    "sasl.kerberos.principal.to.local.rules": List = Is("DEFAULT"), List(Filled, &[]);
    "sasl.kerberos.service.name": Text = Null, Any;
    "sasl.kerberos.ticket.renew.jitter": Double = Is("0.05"), Any;
    "sasl.kerberos.ticket.renew.window.factor": Double = Is("0.8"), Any;
    "sasl.login.callback.handler.class": Class = Null, Any;
    "sasl.login.class": Class = Null, Any;
    "sasl.login.connect.timeout.ms": Int = Null, Any;
    "sasl.login.read.timeout.ms": Int = Null, Any;
    "sasl.login.refresh.buffer.seconds": Short = Is("300"), Any;
    "sasl.login.refresh.min.period.seconds": Short = Is("60"), Any;
    "sasl.login.refresh.window.factor": Double = Is("0.8"), Any;
    "sasl.login.refresh.window.jitter": Double = Is("0.05"), Any;
    "sasl.login.retry.backoff.max.ms": Long = Is("10000"), Any;
    "sasl.login.retry.backoff.ms": Long = Is("100"), Any;
    "sasl.mechanism.controller.protocol": Text = Is("GSSAPI"), Any;
    "sasl.mechanism.inter.broker.protocol": Text = Is("GSSAPI"), Any;
    "sasl.oauthbearer.assertion.algorithm": Text = Is("RS256"), OneOfAnyCase(&["ES256", "RS256"]);
    "sasl.oauthbearer.assertion.claim.aud": Text = Null, Any;
    "sasl.oauthbearer.assertion.claim.exp.seconds": Int = Is("300"), Between(0, 86400);
    "sasl.oauthbearer.assertion.claim.iss": Text = Null, Any;
    "sasl.oauthbearer.assertion.claim.jti.include": Boolean = Is("false"), Any;
    "sasl.oauthbearer.assertion.claim.nbf.seconds": Int = Is("60"), Between(0, 3600);
    "sasl.oauthbearer.assertion.claim.sub": Text = Null, Any;
    "sasl.oauthbearer.assertion.file": Text = Null, Any;
    "sasl.oauthbearer.assertion.private.key.file": Text = Null, Any;
    "sasl.oauthbearer.assertion.private.key.passphrase": Password = Null, Any;
    "sasl.oauthbearer.assertion.template.file": Text = Null, Any;
    "sasl.oauthbearer.client.credentials.client.id": Text = Null, Any;
    "sasl.oauthbearer.client.credentials.client.secret": Password = Null, Any;
    "sasl.oauthbearer.clock.skew.seconds": Int = Is("30"), Any;
    "sasl.oauthbearer.expected.audience": List = Is(""), List(MayBeEmpty, &[]);
    "sasl.oauthbearer.expected.issuer": Text = Null, Any;
    "sasl.oauthbearer.jwks.endpoint.refresh.ms": Long = Is("3600000"), Any;
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms": Long = Is("10000"), Any;
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms": Long = Is("100"), Any;
    "sasl.oauthbearer.jwks.endpoint.url": Text = Null, Any;
    "sasl.oauthbearer.jwt.retriever.class": Class = Is("org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever"), Any;
    "sasl.oauthbearer.jwt.validator.class": Class = Is("org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator"), Any;
    "sasl.oauthbearer.scope": Text = Null, Any;
    "sasl.oauthbearer.scope.claim.name": Text = Is("scope"), Any;
    "sasl.oauthbearer.sub.claim.name": Text = Is("sub"), Any;
    "sasl.oauthbearer.token.endpoint.url": Text = Null, Any;
    "sasl.server.callback.handler.class": Class = Null, Any;
    "sasl.server.max.receive.size": Int = Is("524288"), Any;
    "security.inter.broker.protocol": Text = Is("PLAINTEXT"), OneOf(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]);
    "security.providers": Text = Null, Any;
    "server.max.startup.time.ms": Long = Is("9223372036854775807"), AtLeast(0);
    "share.coordinator.append.linger.ms": Int = Is("-1"), AtLeast(-1);
    "share.coordinator.cached.buffer.max.bytes": Int = Is("1048588"), AtLeast(524288);
    "share.coordinator.cold.partition.snapshot.interval.ms": Int = Is("300000"), AtLeast(1);
    "share.coordinator.load.buffer.size": Int = Is("5242880"), AtLeast(1);
    "share.coordinator.snapshot.update.records.per.snapshot": Int = Is("500"), Between(0, 500);
    "share.coordinator.state.topic.compression.codec": Int = Is("0"), Any;
    "share.coordinator.state.topic.min.isr": Short = Is("2"), AtLeast(1);
    "share.coordinator.state.topic.num.partitions": Int = Is("50"), AtLeast(1);
    "share.coordinator.state.topic.prune.interval.ms": Int = Is("300000"), AtLeast(1);
    "share.coordinator.state.topic.replication.factor": Short = Is("3"), AtLeast(1);
    "share.coordinator.state.topic.segment.bytes": Int = Is("104857600"), AtLeast(1);
    "share.coordinator.threads": Int = Is("1"), AtLeast(1);
    "share.coordinator.write.timeout.ms": Int = Is("5000"), AtLeast(1);
    "share.fetch.purgatory.purge.interval.requests": Int = Is("1000"), Any;
    "socket.connection.setup.timeout.max.ms": Long = Is("30000"), Any;
    "socket.connection.setup.timeout.ms": Long = Is("10000"), Any;
    "socket.listen.backlog.size": Int = Is("50"), AtLeast(1);
    "socket.receive.buffer.bytes": Int = Is("102400"), Any;
    "socket.request.max.bytes": Int = Is("104857600"), AtLeast(1);
    "socket.send.buffer.bytes": Int = Is("102400"), Any;
    "ssl.allow.dn.changes": Boolean = Is("false"), Any;
    "ssl.allow.san.changes": Boolean = Is("false"), Any;
    "ssl.cipher.suites": List = Is(""), List(MayBeEmpty, &[]);
    "ssl.client.auth": Text = Is("none"), OneOf(&["required", "requested", "none"]);
    "ssl.enabled.protocols": List = Is("TLSv1.2,TLSv1.3"), List(MayBeEmpty, &[]);
    "ssl.endpoint.identification.algorithm": Text = Is("https"), Any;
    "ssl.engine.factory.class": Class = Null, Any;
    "ssl.key.password": Password = Null, Any;
    "ssl.keymanager.algorithm": Text = Is("SunX509"), Any;
    "ssl.keystore.certificate.chain": Password = Null, Any;
    "ssl.keystore.key": Password = Null, Any;
    "ssl.keystore.location": Text = Null, Any;
    "ssl.keystore.password": Password = Null, Any;
    "ssl.keystore.type": Text = Is("JKS"), Any;
    "ssl.principal.mapping.rules": Text = Is("DEFAULT"), Any;
    "ssl.protocol": Text = Is("TLSv1.3"), Any;
    "ssl.provider": Text = Null, Any;
    "ssl.secure.random.implementation": Text = Null, Any;
    "ssl.trustmanager.algorithm": Text = Is("PKIX"), Any;
    "ssl.truststore.certificates": Password = Null, Any;
    "ssl.truststore.location": Text = Null, Any;
    "ssl.truststore.password": Password = Null, Any;
    "ssl.truststore.type": Text = Is("JKS"), Any;
    "telemetry.max.bytes": Int = Is("1048576"), AtLeast(1);
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": Int = Is("10000"), AtLeast(1);
    "transaction.max.timeout.ms": Int = Is("900000"), AtLeast(1);
    "transaction.partition.verification.enable": Boolean = Is("true"), Any;
    "transaction.remove.expired.transaction.cleanup.interval.ms": Int = Is("3600000"), AtLeast(1);
    "transaction.state.log.load.buffer.size": Int = Is("5242880"), AtLeast(1);
    "transaction.state.log.min.isr": Int = Is("2"), AtLeast(1);
    "transaction.state.log.num.partitions": Int = Is("50"), AtLeast(1);
    "transaction.state.log.replication.factor": Short = Is("3"), AtLeast(1);
    "transaction.state.log.segment.bytes": Int = Is("104857600"), AtLeast(1);
    "transaction.two.phase.commit.enable": Boolean = Is("false"), Any;
    "transactional.id.expiration.ms": Int = Is("604800000"), AtLeast(1);
    "unclean.leader.election.enable": Boolean = Is("false"), Any;
    "unclean.leader.election.interval.ms": Long = Is("300000"), AtLeast(1);
    "unstable.api.versions.enable": Boolean = Is("false"), Any;
    "unstable.feature.versions.enable": Boolean = Is("false"), Any;
}

/// Can change at run time, for each broker by itself; sorted.
pub const PER_BROKER: &[&str] = &[
    "cordoned.log.dirs",
    "listener.security.protocol.map",
    "listeners",
    "principal.builder.class",
    "sasl.enabled.mechanisms",
    "sasl.jaas.config",
    "sasl.kerberos.kinit.cmd",
    "sasl.kerberos.min.time.before.relogin",
    "sasl.kerberos.principal.to.local.rules",
    "sasl.kerberos.service.name",
    "sasl.kerberos.ticket.renew.jitter",
    "sasl.kerberos.ticket.renew.window.factor",
    "sasl.login.refresh.buffer.seconds",
    "sasl.login.refresh.min.period.seconds",
    "sasl.login.refresh.window.factor",
    "sasl.login.refresh.window.jitter",
    "sasl.mechanism.inter.broker.protocol",
    "ssl.cipher.suites",
    "ssl.client.auth",
    "ssl.enabled.protocols",
    "ssl.endpoint.identification.algorithm",
    "ssl.engine.factory.class",
    "ssl.key.password",
    "ssl.keymanager.algorithm",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.protocol",
    "ssl.provider",
    "ssl.secure.random.implementation",
    "ssl.trustmanager.algorithm",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
];

/// Can change at run time, for one broker or for all; sorted.
pub const CLUSTER_WIDE: &[&str] = &[
    "background.threads",
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.type",
    "compression.zstd.level",
    "config.providers",
    "follower.fetch.last.tiered.offset.enable",
    "follower.replication.throttled.rate",
    "group.consumer.assignment.interval.ms",
    "group.coordinator.cached.buffer.max.bytes",
    "group.share.assignment.interval.ms",
    "group.streams.assignment.interval.ms",
    "leader.replication.throttled.rate",
    "log.cleaner.backoff.ms",
    "log.cleaner.dedupe.buffer.size",
    "log.cleaner.delete.retention.ms",
    "log.cleaner.io.buffer.load.factor",
    "log.cleaner.io.buffer.size",
    "log.cleaner.io.max.bytes.per.second",
    "log.cleaner.max.compaction.lag.ms",
    "log.cleaner.min.cleanable.ratio",
    "log.cleaner.min.compaction.lag.ms",
    "log.cleaner.threads",
    "log.cleanup.policy",
    "log.flush.interval.messages",
    "log.flush.interval.ms",
    "log.index.interval.bytes",
    "log.index.size.max.bytes",
    "log.local.retention.bytes",
    "log.local.retention.ms",
    "log.message.timestamp.after.max.ms",
    "log.message.timestamp.before.max.ms",
    "log.message.timestamp.type",
    "log.preallocate",
    "log.retention.bytes",
    "log.retention.ms",
    "log.roll.jitter.ms",
    "log.roll.ms",
    "log.segment.bytes",
    "log.segment.delete.delay.ms",
    "max.connection.creation.rate",
    "max.connections",
    "max.connections.per.ip",
    "max.connections.per.ip.overrides",
    "message.max.bytes",
    "metric.reporters",
    "min.insync.replicas",
    "num.io.threads",
    "num.network.threads",
    "num.recovery.threads.per.data.dir",
    "num.replica.fetchers",
    "producer.id.expiration.ms",
    "remote.fetch.max.wait.ms",
    "remote.list.offsets.request.timeout.ms",
    "remote.log.index.file.cache.total.size.bytes",
    "remote.log.manager.copier.thread.pool.size",
    "remote.log.manager.copy.max.bytes.per.second",
    "remote.log.manager.expiration.thread.pool.size",
    "remote.log.manager.fetch.max.bytes.per.second",
    "remote.log.manager.follower.thread.pool.size",
    "remote.log.reader.threads",
    "replica.alter.log.dirs.io.max.bytes.per.second",
    "share.coordinator.cached.buffer.max.bytes",
    "transaction.partition.verification.enable",
    "unclean.leader.election.enable",
];
