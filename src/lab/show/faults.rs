//! What is wrong right now, in words, and links that have something to tell.

use crate::lab::view::LinkView;
use crate::lab::world::{Role, World};
use crate::ordered::OrderedMap;
use crate::sim::disk::DiskMode;
use crate::sim::network::Link;
use crate::sim::{HostId, ProcId};

/// A host as people call it: by the process that stands on it alone, else by its own name.
fn host_name(world: &World, host: HostId) -> String {
    let mut here = world
        .processes()
        .filter(|(id, role)| *role != Role::Operator && world.sim.host_of(*id) == host);
    match (here.next(), here.next()) {
        (Some((only, _)), None) => world.name(only).to_string(),
        _ => world.sim.network().host(host).name.to_string(),
    }
}

/// The faults of a process's host: its links and its disk.
pub fn of(world: &World, id: ProcId) -> Vec<String> {
    let host = world.sim.host_of(id);
    let network = world.sim.network();
    let mut out = Vec::new();
    let mut cuts: OrderedMap<HostId, (bool, bool)> = OrderedMap::new();
    for ((from, to), link) in network.links() {
        let (peer, outgoing) = match (from == host, to == host) {
            (true, false) => (to, true),
            (false, true) => (from, false),
            _ => continue,
        };
        if link.cut {
            let ways = cuts.entry(peer).or_default();
            if outgoing {
                ways.0 = true;
            } else {
                ways.1 = true;
            }
        }
        if outgoing {
            out.extend(link_faults(link).map(|what| format!("{what} to {}", host_name(world, peer))));
        }
    }
    for (peer, ways) in cuts {
        let peer = host_name(world, peer);
        out.push(match ways {
            (true, true) => format!("cut from {peer}"),
            (true, false) => format!("cannot reach {peer}"),
            _ => format!("{peer} cannot reach it"),
        });
    }
    match network.host(host).disk {
        DiskMode::Ok => {}
        DiskMode::Slow(by) => out.push(format!("disk slower by {}", duration(by.as_us()))),
        DiskMode::Full => out.push("disk full".into()),
    }
    out
}

fn link_faults(link: Link) -> impl Iterator<Item = String> {
    let delay = (link.delay.as_us() > 0).then(|| format!("delay of {}", duration(link.delay.as_us())));
    let loss = (link.loss_ppm > 0).then(|| format!("{} lost", crate::lab::language::units::percent(link.loss_ppm)));
    delay.into_iter().chain(loss)
}

fn duration(us: u64) -> String {
    crate::lab::language::units::duration(us)
}

/// Links with a fault, by the processes on both ends.
pub fn links(world: &World) -> Vec<LinkView> {
    let network = world.sim.network();
    let on = |host: HostId| -> Vec<ProcId> {
        let here = world
            .processes()
            .filter(|(id, role)| *role != Role::Operator && world.sim.host_of(*id) == host);
        here.map(|(id, _)| id).collect()
    };
    let mut out = Vec::new();
    for ((from, to), link) in network.links() {
        if link == Link::default() {
            continue;
        }
        for a in on(from) {
            for b in on(to) {
                out.push(LinkView {
                    from: world.name(a).to_string(),
                    to: world.name(b).to_string(),
                    latency_us: network.latency(from, to).as_us() - link.delay.as_us(),
                    cut: link.cut,
                    delay_us: link.delay.as_us(),
                    loss_percent: link.loss_ppm.div_ceil(10_000),
                });
            }
        }
    }
    out
}
