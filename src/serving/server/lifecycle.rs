//! How a server starts, reloads and stops, and what its master or parent does for its workers.

use super::connection::Phase;
use super::{Kind, ServerOrder, ServerTimer, WebServer, pool, split_address};
use crate::serving::note::ServerNote;
use crate::serving::upstream::Upstream;
use crate::serving::wire::{Ctx, Timer};
use crate::sim::ConnId;
use std::net::SocketAddrV4;

impl WebServer {
    /// Reads the configuration, opens the port, and has its workers forked.
    pub(super) fn boot(&mut self, ctx: &mut Ctx<'_>) {
        self.site = self.file.clone();
        if let Err(line) = self.resolve_groups(ctx) {
            ctx.note(ServerNote::NotStarted { line: line.into() }.into());
            ctx.exit();
            return;
        }
        ctx.listen(self.port);
        if !ctx.listens(self.port) {
            let line = format!("bind() to 0.0.0.0:{} failed (98: Address already in use)", self.port);
            ctx.note(ServerNote::NotStarted { line: line.into() }.into());
            ctx.exit();
            return;
        }
        match &mut self.kind {
            Kind::Nginx(settings) => {
                for worker in 0..settings.worker_processes.max(1) {
                    self.units.add(worker);
                }
            }
            Kind::Httpd(pool) => {
                pool.fork(pool.settings.start_servers.max(1), &mut self.units);
                ctx.timer(pool::MAINTENANCE, Timer::Server(ServerTimer::Maintenance));
            }
        }
    }

    /// Looks up the names of all `server` lines.
    pub(super) fn resolve_groups(&mut self, ctx: &Ctx<'_>) -> Result<(), String> {
        let site = self.site.clone();
        for server in site.groups.iter().flat_map(|group| &group.servers) {
            let (host, port) = split_address(&server.address);
            let found = ctx
                .look_up(host)
                .ok_or_else(|| format!("host not found in upstream \"{}\"", server.address))?;
            self.resolved
                .insert(server.address.clone(), SocketAddrV4::new(found, port));
        }
        Ok(())
    }

    /// Balancing state, made when a worker first needs it.
    pub(super) fn groups_of(&mut self, balancer: u32) -> &mut Vec<Upstream> {
        let site = self.site.clone();
        self.groups.entry(balancer).or_insert_with(|| {
            let groups = site.groups.iter();
            // A group that nginx would refuse has been refused where the site was made.
            groups
                .filter_map(|group| Upstream::new(group.method.clone(), group.servers.clone()).ok())
                .collect()
        })
    }

    pub(super) fn order(&mut self, order: ServerOrder, ctx: &mut Ctx<'_>) {
        match order {
            ServerOrder::Quit => self.quit(ctx),
            ServerOrder::Reload => self.reload(ctx),
            ServerOrder::KillWorker => self.kill_worker(ctx),
            ServerOrder::Done { request, status } => self.outside_done(request, status, ctx),
        }
    }

    pub(super) fn quit(&mut self, ctx: &mut Ctx<'_>) {
        self.quitting = true;
        ctx.unlisten(self.port);
        let idle = self
            .conns
            .iter()
            .filter(|(_, conn)| matches!(conn.phase, Phase::Idle | Phase::Queued));
        let idle: Vec<ConnId> = idle.map(|(id, _)| *id).collect();
        for id in idle {
            self.close(id, ctx);
        }
        self.leave_if_done(ctx);
    }

    pub(super) fn leave_if_done(&mut self, ctx: &mut Ctx<'_>) {
        if self.quitting && self.conns.is_empty() {
            ctx.exit();
        }
    }

    /// New workers with the new configuration; what runs is finished by the old one's rules where it stands.
    pub(super) fn reload(&mut self, ctx: &mut Ctx<'_>) {
        let old = std::mem::replace(&mut self.site, self.file.clone());
        match self.resolve_groups(ctx) {
            Ok(()) => self.groups.clear(),
            Err(line) => {
                // The old configuration stays in force.
                self.site = old;
                self.error_log("emerg", line, ctx);
            }
        }
    }

    /// Kills the process with the most connections; its parent forks another at once.
    pub(super) fn kill_worker(&mut self, ctx: &mut Ctx<'_>) {
        let busiest = self
            .units
            .iter()
            .max_by_key(|(id, unit)| (unit.conns, std::cmp::Reverse(*id)));
        let Some(process) = busiest.map(|(_, unit)| unit.process) else {
            return;
        };
        let gone = self.units.end_process(process);
        for unit in &gone {
            self.cores.remove(ctx.now(), *unit);
        }
        let lost = self
            .conns
            .iter()
            .filter(|(_, conn)| conn.unit.is_some_and(|unit| gone.contains(&unit)));
        let lost: Vec<ConnId> = lost.map(|(id, _)| *id).collect();
        for id in &lost {
            self.close(*id, ctx);
        }
        ctx.note(
            ServerNote::WorkerDied {
                lost: lost.len() as u32,
            }
            .into(),
        );
        match &mut self.kind {
            Kind::Nginx(_) => {
                self.units.add(process);
                self.groups.remove(&process);
            }
            Kind::Httpd(pool) => pool.fork(1, &mut self.units),
        }
    }

    pub(super) fn maintain(&mut self, ctx: &mut Ctx<'_>) {
        let Kind::Httpd(pool) = &mut self.kind else { return };
        let done = pool.maintain(&mut self.units);
        ctx.timer(pool::MAINTENANCE, Timer::Server(ServerTimer::Maintenance));
        let all = self.units.children();
        if done.full {
            self.error_log(
                "error",
                "AH00161: server reached MaxRequestWorkers setting, consider raising the MaxRequestWorkers setting"
                    .into(),
                ctx,
            );
        }
        if let Some((rate, idle)) = done.busy {
            let total = all - done.forked;
            self.error_log(
                "info",
                format!("AH00162: server seems busy, (you may need to increase StartServers, or Min/MaxSpareServers), spawning {rate} children, there are {idle} idle, and {total} total children"),
                ctx,
            );
        }
        if done.forked > 0 {
            let children = done.forked;
            ctx.note(ServerNote::Forked { children, all }.into());
        }
        if done.ended {
            ctx.note(ServerNote::Ended { all }.into());
        }
    }

    pub(super) fn error_log(&self, level: &'static str, line: String, ctx: &mut Ctx<'_>) {
        let line = line.into();
        ctx.note(ServerNote::ErrorLog { level, line }.into());
    }
}
