//! Calls of several requests: leaders and coordinators are looked up first, or every broker is asked.

use super::Admin;
use crate::kafka::client::admin::call::{Call, State, Step, To};
use crate::kafka::client::admin::group::{self, GroupVerdict};
use crate::kafka::client::admin::order::AdminCall;
use crate::kafka::client::admin::{plan, reply};
use crate::kafka::client::call::{Answer, CallId, ClientError};
use crate::kafka::protocol::groups::ListGroupsRequest;
use crate::kafka::protocol::transactions::ListTransactionsRequest;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::wire::Ctx;
use crate::ordered::SortSmall;
use std::rc::Rc;

impl Admin {
    // ---- leaders ----

    pub(super) fn on_keyed(&mut self, call: Call, body: &Body, ctx: &mut Ctx) {
        let Some(job) = self.jobs.get_mut(&call.job) else {
            return;
        };
        let Some(keyed) = &mut job.keyed else {
            return;
        };
        match (&call.step, body) {
            (Step::AtLeader(asked), body) => keyed.at_leader(&job.what, asked, body),
            (_, Body::MetadataResponse(answer)) => keyed.leaders(answer),
            (_, other) => keyed.fail(None, &reply::unexpected(other)),
        }
        self.advance_keyed(call.job, ctx);
    }

    /// Returns the call if every partition has an answer, else asks on.
    pub(super) fn advance_keyed(&mut self, id: CallId, ctx: &mut Ctx) {
        let backoff = self.backoff();
        let random = &mut self.random;
        let now = ctx.now();
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let Some(keyed) = &mut job.keyed else {
            return;
        };
        if let Some(result) = keyed.answer(&job.what) {
            return self.finish(id, result.map(Rc::new), ctx);
        }
        let mut pause = |tries: u32| match tries {
            0 => now,
            n => now + backoff.span(n - 1, random),
        };
        let calls = keyed.next(id, &job.what, job.deadline, &mut pause);
        self.calls.extend(calls);
    }

    // ---- groups ----

    pub(super) fn on_coordinator(&mut self, mut call: Call, body: &Body, ctx: &mut Ctx) {
        let Some(job) = self.jobs.get_mut(&call.job) else {
            return;
        };
        let found = match (body, group::group_of(&job.what)) {
            (Body::FindCoordinatorResponse(answer), Some(group)) => group::coordinator(&job.what, group, answer),
            (other, _) => Err(reply::unexpected(other)),
        };
        match found {
            Err(error) => self.finish(call.job, Err(error), ctx),
            Ok(None) => {
                job.lookups += 1;
                let tries = job.lookups - 1;
                call.next_try = ctx.now() + self.pause(tries);
                call.state = State::Pending;
                self.calls.push(call);
            }
            Ok(Some(node)) => {
                job.coordinator = Some(node);
                let step = match &job.what {
                    AdminCall::RemoveMembers { members, .. } if members.is_empty() => Step::Members,
                    _ => Step::AtCoordinator,
                };
                let timeout = i32::try_from(self.config.request_timeout_ms).unwrap_or(i32::MAX);
                let Some(body) = group::request(&job.what, timeout) else {
                    return;
                };
                let (deadline, tries) = (job.deadline, job.requests);
                let mut next = Call::new(call.job, call.name, step, To::Node(node), body, deadline);
                next.tries = tries;
                if tries > 0 {
                    next.next_try = ctx.now() + self.pause(tries - 1);
                }
                self.calls.push(next);
            }
        }
    }

    pub(super) fn on_group(&mut self, call: Call, body: &Body, ctx: &mut Ctx) {
        let Some(job) = self.jobs.get_mut(&call.job) else {
            return;
        };
        job.requests += 1;
        let coordinator = job.coordinator.unwrap_or(-1);
        match group::read(&job.what, coordinator, body) {
            GroupVerdict::Return(result) => self.finish(call.job, result, ctx),
            GroupVerdict::Retry => self.retry(call, ctx),
            GroupVerdict::LookUp => self.look_up_again(&call, ctx),
            GroupVerdict::Ask(body) => {
                let mut next = Call::new(
                    call.job,
                    call.name,
                    call.step,
                    To::Node(coordinator),
                    body,
                    call.deadline,
                );
                next.tries = call.tries + 1;
                next.next_try = ctx.now() + self.pause(call.tries);
                self.calls.push(next);
            }
            GroupVerdict::Remove(members) if members.is_empty() => {
                self.finish(call.job, Ok(Rc::new(Answer::Done)), ctx);
            }
            GroupVerdict::Remove(members) => {
                if let Some(group) = group::group_of(&job.what) {
                    let body = group::removal(group, members);
                    let to = To::Node(coordinator);
                    let next = Call::new(call.job, call.name, Step::AtCoordinator, to, body, call.deadline);
                    self.calls.push(next);
                }
            }
        }
    }

    pub(super) fn look_up_again(&mut self, call: &Call, ctx: &mut Ctx) {
        let Some(job) = self.jobs.get_mut(&call.job) else {
            return;
        };
        job.coordinator = None;
        if let Some(mut lookup) = plan::first(call.job, &job.what, job.deadline) {
            let tries = job.lookups;
            job.lookups += 1;
            lookup.next_try = ctx.now() + self.pause(tries);
            self.calls.push(lookup);
        }
    }

    // ---- all brokers ----

    pub(super) fn on_brokers(&mut self, call: Call, body: &Body, ctx: &mut Ctx) {
        let (Body::MetadataResponse(answer), Some(job)) = (body, self.jobs.get_mut(&call.job)) else {
            return self.finish(call.job, Err(reply::unexpected(body)), ctx);
        };
        job.asked = answer.brokers.len();
        let (name, request) = match job.what {
            AdminCall::ListTransactions => ("listTransactions", Body::from(ListTransactionsRequest)),
            _ => ("listGroups", Body::from(ListGroupsRequest)),
        };
        for node in &answer.brokers {
            let body = request.clone();
            let to = To::Node(node.id);
            self.calls
                .push(Call::new(call.job, name, Step::AtBroker, to, body, call.deadline));
        }
    }

    pub(super) fn on_broker(&mut self, call: Call, body: &Body, ctx: &mut Ctx) {
        let error = match body {
            Body::ListGroupsResponse(answer) => answer.error,
            Body::ListTransactionsResponse(answer) => answer.error,
            _ => return self.finish(call.job, Err(reply::unexpected(body)), ctx),
        };
        match error {
            ErrorCode::None => {}
            error @ (ErrorCode::CoordinatorLoadInProgress | ErrorCode::CoordinatorNotAvailable) => {
                return self.fail(call, ClientError::of(error, None), ctx);
            }
            error => return self.finish(call.job, Err(ClientError::of(error, None)), ctx),
        }
        let Some(job) = self.jobs.get_mut(&call.job) else {
            return;
        };
        match body {
            Body::ListGroupsResponse(answer) => job.groups.extend(answer.groups.iter().cloned()),
            Body::ListTransactionsResponse(answer) => job.transactions.extend(answer.transactions.iter().cloned()),
            _ => {}
        }
        job.asked -= job.asked.min(1);
        if job.asked == 0 {
            job.groups.sort_small();
            let answer = match job.what {
                AdminCall::ListTransactions => Answer::Transactions(std::mem::take(&mut job.transactions)),
                _ => Answer::Groups(std::mem::take(&mut job.groups)),
            };
            self.finish(call.job, Ok(Rc::new(answer)), ctx);
        }
    }
}
