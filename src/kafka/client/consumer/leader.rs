//! What the group's leader does: look at everybody's topics, hand out partitions, watch for changes; and topics by
//! pattern. [ConsumerCoordinator.onLeaderElected, maybeUpdateSubscriptionMetadata]

use super::coordinator::{MemberState, TopicsSeen};
use super::membership::Join;
use super::process::Consumer;
use super::rules;
use super::text;
use crate::kafka::client::log::loggers;
use crate::kafka::config::consumer::Assignor;
use crate::kafka::groups::assignors::{self, Member, Topic};
use crate::kafka::hash::java_string_hash;
use crate::kafka::java_map::JavaMap;
use crate::kafka::protocol::groups::{JoinGroupResponse, JoinedMember};
use crate::kafka::rule::Weight;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedSet;
use std::rc::Rc;

impl Consumer {
    /// This member leads: it needs metadata of all members' topics. [ConsumerCoordinator.updateGroupSubscription]
    pub(super) fn on_elected(&mut self, answer: &Rc<JoinGroupResponse>, ctx: &mut Ctx) {
        let topics: OrderedSet<Rc<str>> = answer
            .members
            .iter()
            .flat_map(|member| member.subscription.topics.iter().cloned())
            .collect();
        let more = self.subscription.set_group_topics(topics);
        self.want_topics(more);
        let metadata = &mut self.net.metadata;
        let stale = metadata.update_requested() || metadata.next_update() <= ctx.now();
        if stale {
            metadata.request_update();
            let version = metadata.update_version();
            if let Some(coordinator) = &mut self.coordinator {
                coordinator.join = Join::Metadata(version, answer.clone());
            }
        } else {
            self.assign(answer, ctx);
        }
    }

    /// Goes on when the metadata came that a leader waits for. True if it did.
    pub(super) fn resume_assigning(&mut self, ctx: &mut Ctx) -> bool {
        let version = self.net.metadata.update_version();
        let Some(coordinator) = &mut self.coordinator else {
            return false;
        };
        let Join::Metadata(seen, answer) = &coordinator.join else {
            return false;
        };
        if version == *seen {
            return false;
        }
        let answer = answer.clone();
        if coordinator.state != MemberState::Completing {
            // The heartbeat thread reset the member meanwhile: the next poll finds the join failed.
            self.send_sync(Vec::new(), ctx);
            return true;
        }
        self.assign(&answer, ctx);
        true
    }

    fn assign(&mut self, answer: &JoinGroupResponse, ctx: &mut Ctx) {
        self.refresh_topics();
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        coordinator.is_leader = true;
        coordinator.assigned_from = Some(coordinator.topics_seen.clone());
        let generation = coordinator.generation.id;
        if answer.skip_assignment {
            let text = format!(
                "Skipped assignment for returning static leader at generation {generation}. The static leader will continue with its existing assignment."
            );
            self.log(
                loggers::CONSUMER_COORDINATOR.info(text),
                Weight::Detail,
                &rules::MEMBERSHIP,
                ctx,
            );
            return self.send_sync(Vec::new(), ctx);
        }
        let chosen = answer.protocol.as_deref();
        let offered = &self.config.partition_assignment_strategy;
        // The coordinator only chooses what all members offer.
        let assignor = offered.iter().find(|assignor| Some(assignor.name()) == chosen);
        let assign = match assignor.copied().unwrap_or(Assignor::Range) {
            Assignor::Range => assignors::range::assign,
            Assignor::RoundRobin => assignors::round_robin::assign,
            Assignor::Sticky => assignors::sticky::assign,
            Assignor::CooperativeSticky => assignors::sticky::assign_cooperative,
        };
        let assignment = assign(&self.topics_to_assign(), &in_hash_order(&answer.members));
        let each: Vec<String> = assignment
            .iter()
            .map(|(member, partitions)| format!("{member}=Assignment(partitions={})", text::list(partitions)))
            .collect();
        let text = format!(
            "Finished assignment for group at generation {generation}: {{{}}}",
            each.join(", ")
        );
        self.log(
            loggers::CONSUMER_COORDINATOR.info(text),
            Weight::Matters,
            &rules::MEMBERSHIP,
            ctx,
        );
        let assignment = assignment
            .into_iter()
            .map(|(member, partitions)| (member, partitions.into()));
        self.send_sync(assignment.collect(), ctx);
    }

    fn topics_to_assign(&self) -> Vec<Topic> {
        let metadata = &self.net.metadata;
        let known = self.subscription.metadata_topics();
        let known = known
            .iter()
            .filter_map(|name| Some((name.clone(), metadata.topic(name)?)));
        known
            .map(|(name, topic)| Topic {
                name,
                partitions: topic.partitions.len() as i32,
                racks: topic
                    .partitions
                    .iter()
                    .map(|partition| self.racks(&partition.replicas).into_iter().collect())
                    .collect(),
            })
            .collect()
    }

    fn racks(&self, replicas: &[i32]) -> OrderedSet<Rc<str>> {
        let nodes = replicas.iter().filter_map(|id| self.net.metadata.node(*id));
        nodes.filter_map(|node| node.rack.clone()).collect()
    }

    /// New metadata: topics that match the pattern, and partitions to compare a leader's assignment with.
    /// [ConsumerCoordinator.maybeUpdateSubscriptionMetadata]
    pub(super) fn refresh_topics(&mut self) {
        let version = self.net.metadata.update_version();
        if self
            .coordinator
            .as_ref()
            .is_none_or(|coordinator| coordinator.topics_seen.version == version)
        {
            return;
        }
        self.match_pattern();
        let with_racks = !self.config.client_rack.is_empty();
        let names = self.subscription.metadata_topics();
        let known = names
            .iter()
            .filter_map(|name| Some((name.clone(), self.net.metadata.topic(name)?)));
        let topics = known.map(|(name, topic)| {
            let partitions = topic.partitions.iter().map(|partition| match with_racks {
                true => self.racks(&partition.replicas),
                false => OrderedSet::new(),
            });
            (name, partitions.collect())
        });
        let seen = TopicsSeen {
            version,
            topics: Rc::new(topics.collect()),
        };
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.topics_seen = seen;
        }
    }

    /// The topics that match now. Internal ones are left out (`exclude.internal.topics`).
    /// [ConsumerCoordinator.updatePatternSubscription]
    pub(super) fn match_pattern(&mut self) {
        let Some(pattern) = self.subscription.pattern().cloned() else {
            return;
        };
        let known = self.net.metadata.snapshot().clone();
        let matching = known
            .topics
            .iter()
            .filter(|(name, topic)| !topic.internal && pattern.matches(name));
        let matching = matching.map(|(name, _)| name.clone()).collect();
        if self.subscription.change(matching) {
            self.want_topics(true);
        }
    }

    /// With a pattern metadata are refreshed once before each join. True when they are fresh.
    pub(super) fn pattern_is_fresh(&mut self) -> bool {
        let metadata = &mut self.net.metadata;
        let version = metadata.update_version();
        let Some(coordinator) = &mut self.coordinator else {
            return true;
        };
        if self.subscription.pattern().is_none() || !matches!(coordinator.join, Join::Idle) {
            return true;
        }
        match coordinator.fresh_after {
            Some(seen) if version != seen => {
                self.refresh_topics();
                true
            }
            Some(_) => false,
            None => {
                coordinator.fresh_after = Some(version);
                metadata.request_update_afresh();
                false
            }
        }
    }
}

/// The members as the hash map of their subscriptions holds them.
fn in_hash_order(members: &[JoinedMember]) -> Vec<Member> {
    let mut map = JavaMap::default();
    for joined in members {
        map.put(java_string_hash(&joined.member_id), joined.member_id.clone(), joined);
    }
    map.iter().map(|(_, joined)| member(joined)).collect()
}

/// A member as the assignor sees it.
fn member(joined: &JoinedMember) -> Member {
    let subscription = &joined.subscription;
    Member {
        id: joined.member_id.clone(),
        instance: joined.instance_id.clone(),
        rack: subscription.rack.clone(),
        topics: subscription.topics.clone(),
        owned: subscription.owned.clone(),
        generation: (subscription.generation >= 0).then_some(subscription.generation),
    }
}
