//! Subscriptions by a pattern that the coordinator resolves (RE2): in the background, over all topics, and again when there
//! are new ones or after `group.consumer.regex.refresh.interval.ms`. Only heartbeats set it going.
//! [GroupMetadataManager.maybeUpdateRegularExpressions, handleRegularExpressionsResult, TopicRegexResolver]

use super::Refusal;
use super::heartbeat::Change;
use super::member::ModernMember;
use super::records::{ModernRecord, Resolved};
use super::subscriptions::Subscriptions;
use crate::kafka::groups::classic::work::Moment;
use crate::kafka::groups::effects::Host;
use crate::kafka::groups::note::ModernNote;
use crate::kafka::groups::re2::Regex;
use crate::kafka::groups::shard::{Shard, Then};
use crate::kafka::groups::timers::TimerKey;
use crate::kafka::protocol::ErrorCode;
use crate::ordered::OrderedMap;
use crate::sim::Span;
use std::rc::Rc;

/// Between two refreshes, ms. [REGEX_BATCH_REFRESH_MIN_INTERVAL_MS]
const LEAST_INTERVAL_MS: i64 = 10_000;

/// The background thread takes so long, us: any time will do that is not none.
const SCAN: Span = Span::us(200);

/// What patterns of a group were found to match.
#[derive(Clone, Debug)]
pub(in crate::kafka::groups) struct Resolving {
    found: OrderedMap<Rc<str>, Rc<Resolved>>,
}

/// What became of a member's pattern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RegexUpdate {
    pub changed: bool,
    /// Its topics are known already, or it has none any more.
    pub resolved: bool,
}

impl Shard {
    /// Looks at the pattern of a member that sent a heartbeat, and sets a refresh going if one is due.
    pub(super) fn update_regexes(
        &mut self,
        change: &mut Change,
        member: &ModernMember,
        updated: &ModernMember,
        host: &dyn Host,
        moment: &mut Moment,
    ) -> Result<RegexUpdate, Refusal> {
        let (old, new) = (&member.details.regex, &updated.details.regex);
        let group = change.group.clone();
        let before = group.subscriptions();
        let mut update = RegexUpdate::default();
        let mut refresh = false;
        if old != new {
            update.changed = true;
            if let Some(old) = old.as_ref().filter(|old| before.with_regex(old) == 1) {
                change.records.push(ModernRecord::Regex(old.clone(), None));
            }
            match new {
                Some(new) if before.with_regex(new) == 0 => {
                    check(new)?;
                    refresh = true;
                }
                Some(new) => update.resolved = group.regexes.contains_key(new),
                None => update.resolved = old.is_some(),
            }
        }
        let nobody = before.regexes().len() == 0;
        if (!refresh && nobody) || self.resolving.contains_key(&group.id) {
            return Ok(update);
        }
        let last = group.regexes.values().next();
        let last_ms = last.map_or(i64::MIN, |resolved| resolved.at_ms);
        let now = moment.wall_ms;
        if now <= last_ms.saturating_add(LEAST_INTERVAL_MS) {
            return Ok(update);
        }
        let after = Subscriptions::of(change.members_with(updated), &group.regexes);
        refresh |= after.regexes().len() != group.regexes.len();
        refresh |= last.map_or(0, |resolved| resolved.version) < host.version_of_new_topics();
        refresh |= now > last_ms.saturating_add(moment.settings.regex_refresh_ms);
        if refresh && after.regexes().len() > 0 {
            self.resolve(&group.id, after.regexes(), host, moment);
        }
        Ok(update)
    }

    /// The background thread scans all topics; its result comes as a write of its own.
    fn resolve<'a>(
        &mut self,
        group: &Rc<str>,
        regexes: impl Iterator<Item = &'a Rc<str>>,
        host: &dyn Host,
        moment: &mut Moment,
    ) {
        let topics = host.topic_names();
        let version = host.metadata_version();
        let found = regexes.map(|regex| {
            let pattern = Regex::new(regex).ok();
            let matches = |topic: &&Rc<str>| pattern.as_ref().is_some_and(|pattern| pattern.matches(topic));
            let resolved = Resolved {
                topics: topics.iter().filter(matches).cloned().collect(),
                version,
                at_ms: moment.wall_ms,
            };
            (regex.clone(), Rc::new(resolved))
        });
        let found = found.collect();
        self.resolving.insert(group.clone(), Resolving { found });
        let key = TimerKey::Regexes { group: group.clone() };
        self.timers.schedule(key, moment.now, SCAN, moment.effects);
    }

    /// The scan is over: the group epoch grows if a pattern has other topics now.
    pub(in crate::kafka::groups) fn regexes_resolved(
        &mut self,
        group: &Rc<str>,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        let Some(resolving) = self.resolving.remove(group) else {
            return;
        };
        let Some(group) = self.consumer(group) else { return };
        let subscriptions = group.subscriptions();
        let mut change = Change::of(group.clone());
        let mut regexes = group.regexes.clone();
        let mut bump = false;
        for (regex, resolved) in resolving.found {
            if subscriptions.with_regex(&regex) == 0 {
                continue;
            }
            let same = match group.regexes.get(&regex) {
                Some(old) => old.topics == resolved.topics,
                None => resolved.topics.is_empty(),
            };
            bump |= !same;
            change
                .records
                .push(ModernRecord::Regex(regex.clone(), Some(resolved.clone())));
            change.note(ModernNote::RegexResolved {
                regex: regex.clone(),
                topics: resolved.topics.len(),
            });
            regexes.insert(regex, resolved);
        }
        let members = group.members.values().map(|member| &**member);
        let hash = Subscriptions::of(members, &regexes).metadata_hash(host);
        if bump || hash != group.metadata_hash {
            let epoch = change.bump(group.epoch, hash, false);
            let deadline = moment.wall_ms.saturating_add(i64::from(i32::MAX));
            self.store.refreshed.insert(group.id.clone(), (deadline, epoch));
        }
        self.write(change.into_write(Then::Nothing), host, moment);
    }
}

/// [throwIfRegularExpressionIsInvalid]
fn check(regex: &str) -> Result<(), Refusal> {
    Regex::new(regex).map(drop).map_err(|what| {
        let text = format!("SubscribedTopicRegex `{regex}` is not a valid regular expression: {what}.");
        Refusal::of(ErrorCode::InvalidRegularExpression, &text)
    })
}
