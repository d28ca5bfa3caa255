//! A broker's life with the controller: it registers, catches up, asks to be unfenced, sends heartbeats, and hands its
//! leaderships over before it ends. [BrokerLifecycleManager, BrokerServer.startup]

use super::BrokerTimer;
use super::channel::{ChannelKind, Purpose};
use super::note::BrokerNote;
use super::server::{Server, set_timer};
use crate::kafka::note::Note;
use crate::kafka::protocol::controller::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerRegistrationRequest, BrokerRegistrationResponse,
};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::wire::Ctx;
use crate::sim::{Span, TimerId};

/// Heartbeats of a starting broker follow each other so soon. [BrokerLifecycleManager]
const STARTING_PAUSE: Span = Span::ms(10);

/// The second heartbeat of a controlled shutdown comes so soon. [BrokerLifecycleManager]
const SHUTDOWN_PAUSE: Span = Span::ms(50);

/// A controlled shutdown may take so long. [BrokerServer.shutdown]
const SHUTDOWN_LIMIT: Span = Span::secs(300);

/// Where a broker is in its life. [BrokerState]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BrokerState {
    NotRunning,
    /// Registers, or has not caught up with the metadata log yet.
    Starting,
    /// Has loaded its logs and waits to be unfenced.
    Recovery,
    Running,
    PendingControlledShutdown,
    ShuttingDown,
}

impl BrokerState {
    /// Its name in Kafka's logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            BrokerState::NotRunning => "NOT_RUNNING",
            BrokerState::Starting => "STARTING",
            BrokerState::Recovery => "RECOVERY",
            BrokerState::Running => "RUNNING",
            BrokerState::PendingControlledShutdown => "PENDING_CONTROLLED_SHUTDOWN",
            BrokerState::ShuttingDown => "SHUTTING_DOWN",
        }
    }
}

/// The state of that.
#[derive(Clone, Debug)]
pub(super) struct Lifecycle {
    pub state: BrokerState,
    /// -1 before the registration.
    pub broker_epoch: i64,
    /// Accepts connections.
    pub listening: bool,
    incarnation: u64,
    previous_broker_epoch: i64,
    registered: bool,
    /// The logs are loaded and the first metadata applied.
    ready_to_unfence: bool,
    in_flight: bool,
    /// Something asked for a heartbeat while one was under way.
    again_at_once: bool,
    got_shutdown_answer: bool,
    next: Option<TimerId>,
}

impl Lifecycle {
    pub fn new(incarnation: u64, previous_broker_epoch: i64) -> Lifecycle {
        Lifecycle {
            state: BrokerState::Starting,
            broker_epoch: -1,
            listening: false,
            incarnation,
            previous_broker_epoch,
            registered: false,
            ready_to_unfence: false,
            in_flight: false,
            again_at_once: false,
            got_shutdown_answer: false,
            next: None,
        }
    }
}

impl Server {
    pub(super) fn begin_life(&mut self, ctx: &mut Ctx) {
        let limit = Span::from_ms(self.setup.config.initial_broker_registration_timeout_ms);
        set_timer(ctx, limit, BrokerTimer::RegistrationTimeout);
        self.start_isr_checks(ctx);
        self.communicate(ctx);
    }

    fn schedule_communication(&mut self, after: Span, ctx: &mut Ctx) {
        let after = if self.life.again_at_once { Span::ZERO } else { after };
        self.life.again_at_once = false;
        if let Some(timer) = self.life.next.take() {
            ctx.cancel(timer);
        }
        self.life.next = Some(set_timer(ctx, after, BrokerTimer::Communicate));
    }

    fn heartbeat_interval(&self) -> Span {
        Span::from_ms(self.setup.config.broker_heartbeat_interval_ms)
    }

    /// Registers, or sends a heartbeat; only one at a time is under way.
    pub(super) fn communicate(&mut self, ctx: &mut Ctx) {
        if let Some(timer) = self.life.next.take() {
            ctx.cancel(timer);
        }
        if self.life.state == BrokerState::ShuttingDown {
            return;
        }
        if self.life.in_flight {
            self.life.again_at_once = true;
            return;
        }
        self.life.in_flight = true;
        let (purpose, body) = if self.life.registered {
            (Purpose::Heartbeat, self.heartbeat())
        } else {
            (Purpose::Registration, self.registration())
        };
        self.ask_controller(ChannelKind::Heartbeat, purpose, body, ctx);
    }

    fn registration(&self) -> Body {
        Body::from(BrokerRegistrationRequest {
            node: self.setup.node.clone(),
            endpoints: self.setup.listeners.advertised.clone(),
            incarnation: self.life.incarnation,
            previous_broker_epoch: self.life.previous_broker_epoch,
        })
    }

    fn heartbeat(&self) -> Body {
        Body::from(BrokerHeartbeatRequest {
            broker: self.me(),
            broker_epoch: self.life.broker_epoch,
            current_metadata_offset: self.observer.image().end_offset - 1,
            want_fence: !self.life.ready_to_unfence,
            want_shut_down: self.life.state == BrokerState::PendingControlledShutdown,
        })
    }

    pub(super) fn registration_answered(&mut self, answer: &BrokerRegistrationResponse, ctx: &mut Ctx) {
        self.life.in_flight = false;
        if answer.error != ErrorCode::None {
            ctx.note(Note::Broker(BrokerNote::RegistrationRefused(answer.error)));
            self.communication_failed(ctx);
            return;
        }
        self.life.broker_epoch = answer.broker_epoch;
        self.clock.broker_epoch = answer.broker_epoch;
        self.life.registered = true;
        ctx.note(Note::Broker(BrokerNote::Registered {
            epoch: answer.broker_epoch,
            previous: self.life.previous_broker_epoch,
        }));
        self.schedule_communication(Span::ZERO, ctx);
    }

    pub(super) fn registration_timed_out(&mut self, ctx: &mut Ctx) {
        if !self.life.registered {
            ctx.note(Note::Broker(BrokerNote::RegistrationTimedOut {
                after_ms: self.setup.config.initial_broker_registration_timeout_ms,
            }));
            self.finish_shutdown(ctx);
        }
    }

    /// No answer, or an error: the next try comes one heartbeat interval later.
    pub(super) fn communication_failed(&mut self, ctx: &mut Ctx) {
        self.life.in_flight = false;
        self.life.again_at_once = false;
        let interval = self.heartbeat_interval();
        self.schedule_communication(interval, ctx);
    }

    pub(super) fn heartbeat_answered(&mut self, answer: &BrokerHeartbeatResponse, ctx: &mut Ctx) {
        self.life.in_flight = false;
        if answer.error != ErrorCode::None {
            ctx.note(Note::Broker(BrokerNote::HeartbeatRefused(answer.error)));
            self.communication_failed(ctx);
            return;
        }
        let mut pause = self.heartbeat_interval();
        match self.life.state {
            BrokerState::Starting => {
                if answer.is_caught_up {
                    self.caught_up(ctx);
                }
                pause = STARTING_PAUSE;
            }
            BrokerState::Recovery => {
                if !answer.is_fenced {
                    self.unfenced(ctx);
                }
            }
            BrokerState::PendingControlledShutdown => {
                if answer.should_shut_down {
                    self.finish_shutdown(ctx);
                    return;
                }
                if !self.life.got_shutdown_answer {
                    self.life.got_shutdown_answer = true;
                    pause = SHUTDOWN_PAUSE;
                }
            }
            BrokerState::Running | BrokerState::NotRunning | BrokerState::ShuttingDown => {}
        }
        self.schedule_communication(pause, ctx);
    }

    /// The broker's copy of the metadata has reached its own registration: metadata are applied from now on.
    fn caught_up(&mut self, ctx: &mut Ctx) {
        self.life.state = BrokerState::Recovery;
        ctx.note(Note::Broker(BrokerNote::CaughtUp));
        self.open_metadata(ctx);
    }

    /// The first metadata have been applied and the logs loaded.
    pub(super) fn ready_to_unfence(&mut self, ctx: &mut Ctx) {
        self.life.ready_to_unfence = true;
        self.schedule_communication(Span::ZERO, ctx);
        if self.life.in_flight {
            self.life.again_at_once = true;
        }
    }

    /// Only now are connections accepted: for a moment an unfenced broker refuses them.
    fn unfenced(&mut self, ctx: &mut Ctx) {
        self.life.state = BrokerState::Running;
        self.life.listening = true;
        let setup = self.setup.clone();
        setup.listeners.sockets.iter().for_each(|listener| listener.open(ctx));
        ctx.note(Note::Broker(BrokerNote::Unfenced));
    }

    /// SIGTERM.
    pub(super) fn shut_down(&mut self, ctx: &mut Ctx) {
        let controlled = self.setup.config.controlled_shutdown_enable && self.life.state == BrokerState::Running;
        if !controlled {
            if self.life.state != BrokerState::PendingControlledShutdown {
                self.finish_shutdown(ctx);
            }
            return;
        }
        self.life.state = BrokerState::PendingControlledShutdown;
        ctx.note(Note::Broker(BrokerNote::ControlledShutdownBegins));
        set_timer(ctx, SHUTDOWN_LIMIT, BrokerTimer::ShutdownTimeout);
        self.communicate(ctx);
    }

    /// Closes everything and ends. The logs are closed when the process is gone.
    pub(super) fn finish_shutdown(&mut self, ctx: &mut Ctx) {
        self.life.state = BrokerState::ShuttingDown;
        ctx.note(Note::Broker(BrokerNote::ShutsDown));
        ctx.exit();
    }
}
