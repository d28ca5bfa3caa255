//! The figures of a process of the world, under the real system's names.

use super::node::Node;
use super::view::MetricView;
use super::world::World;
use crate::kafka::metrics::{Figure, names};
use crate::sim::ProcId;

/// All figures of a process; none of one that has no metrics here.
pub fn figures(world: &World, id: ProcId) -> Vec<Figure> {
    let now = world.sim.now();
    match world.sim.process(id) {
        Node::Broker(broker) => broker.figures(now),
        Node::Controller(controller) => controller.figures(now),
        Node::Producer(producer) => producer.figures(now),
        Node::Consumer(consumer) => consumer.figures(now),
        _ => Vec::new(),
    }
}

/// The same with what each means.
pub fn views(world: &World, id: ProcId) -> Vec<MetricView> {
    figures(world, id).into_iter().map(view).collect()
}

fn view(figure: Figure) -> MetricView {
    let known = names::find(figure.group, figure.name);
    MetricView {
        group: figure.group,
        name: figure.name,
        tag: figure.tag,
        milli: figure.milli,
        unit: known.map_or("", |known| known.unit),
        about: known.map_or("", |known| known.about),
    }
}

/// What a check finds: the figure of that name without a tag, or of the one with the tag.
///
/// # Errors
/// Why there is none.
pub fn figure(world: &World, of: &str, name: &str, tag: Option<&str>) -> Result<Option<i64>, String> {
    let id = world.find(of).ok_or_else(|| format!("there is no {of}"))?;
    let all: Vec<Figure> = figures(world, id)
        .into_iter()
        .filter(|figure| figure.name == name)
        .collect();
    let found = all.iter().find(|figure| figure.tag.as_deref() == tag);
    if let Some(found) = found {
        return Ok(found.milli);
    }
    let tags: Vec<&str> = all.iter().filter_map(|figure| figure.tag.as_deref()).collect();
    Err(match (tags.is_empty(), tag) {
        (true, _) if all.is_empty() => format!("{of} has no metric {name} now"),
        (false, None) => format!("{name} of {of} is told apart for {}", tags.join(", ")),
        (_, tag) => format!("{of} has no {name} of {}", tag.unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use crate::kafka::metrics::names::KNOWN;
    use crate::lab::checks::Verdict;
    use crate::lab::run::Run;
    use crate::lab::view::MetricView;
    use crate::ordered::OrderedSet;

    const BUSY: &str = r#"lab 1
seed 5
controller c1
broker b1..b3
topic orders partitions=2 replicas=3 min.insync.replicas=2
producer web acks=all
consumer w1 group=risk topics=orders auto.offset.reset=earliest
consumer m1 group=fresh topics=orders group.protocol=consumer auto.offset.reset=earliest
start web orders rate=20/s keys=5
at 4s     expect metric web record-error-total = 0
          expect metric web record-send-total >= 60
          expect metric web record-send-total orders >= 60
          expect metric b1 UnderReplicatedPartitions = 0
          expect metric c1 GlobalPartitionCount > 1
          expect metric c1 ActiveControllerCount = 1
          expect metric w1 records-lag orders/0 <= 5
          expect metric w1 records-lag <= 5
at 5s     crash b3
at 18s    expect metric c1 FencedBrokerCount = 1
at 20s    restart b3
at 30s    stop web
at 32s    expect metric c1 FencedBrokerCount = 0
          expect metric w1 assigned-partitions = 2
          expect metric w1 heartbeat-total >= 5
          expect metric web record-retry-total < 50
          expect metric web batch-size-avg > 60.5
"#;

    fn run() -> Run {
        let mut run = Run::open(BUSY);
        assert_eq!(run.errors(), []);
        run.seek_us(33_000_000);
        run
    }

    fn value(metrics: &[MetricView], name: &str) -> i64 {
        let found = metrics.iter().find(|m| m.name == name && m.tag.is_none());
        found.and_then(|m| m.milli).unwrap_or(i64::MIN) / 1_000
    }

    #[test]
    fn checks_read_metrics_by_name_and_tag() {
        let run = run();
        for check in run.checks() {
            // Without its partition there is no single records-lag.
            let expected = match check.expected.as_str() {
                "metric w1 records-lag <= 5" => Verdict::Failed,
                _ => Verdict::Passed,
            };
            assert_eq!(check.verdict, expected, "{check:?}");
        }
    }

    #[test]
    fn every_figure_is_explained_and_every_explanation_used() {
        let run = run();
        let mut seen: OrderedSet<(&str, &str)> = OrderedSet::new();
        for name in run.process_names() {
            for metric in run.metrics(&name) {
                assert!(
                    !metric.about.is_empty(),
                    "{} {} has no explanation",
                    metric.group,
                    metric.name
                );
                seen.insert((metric.group, metric.name));
            }
        }
        for known in KNOWN {
            assert!(
                seen.contains(&(known.group, known.name)),
                "nobody has {} {}",
                known.group,
                known.name
            );
        }
    }

    #[test]
    fn figures_agree_with_the_ledger() {
        let run = run();
        let (ledger, web) = (run.view().ledger, run.metrics("web"));
        let retried = value(&web, "record-retry-total");
        assert_eq!(value(&web, "record-send-total") - retried, ledger.sent as i64);
        assert_eq!(value(&web, "record-error-total"), ledger.failed as i64);
        for reader in ["w1", "m1"] {
            let consumed = value(&run.metrics(reader), "records-consumed-total");
            assert_eq!(consumed, ledger.sent as i64, "{reader}");
        }
        let sum = |name: &str| {
            ["b1", "b2", "b3"]
                .iter()
                .map(|b| value(&run.metrics(b), name))
                .sum::<i64>()
        };
        assert_eq!(sum("LeaderCount"), value(&run.metrics("c1"), "GlobalPartitionCount"));
        assert!(sum("IsrExpandsPerSec.Count") >= 2);
    }

    #[test]
    fn brokers_count_what_the_ledger_has() {
        let mut run = Run::open(BUSY);
        run.seek_us(4_500_000);
        let of_topic = |metrics: Vec<MetricView>| {
            let mut all = metrics.into_iter();
            all.find(|m| m.name == "MessagesInPerSec.Count" && m.tag.as_deref() == Some("orders"))
                .and_then(|m| m.milli)
                .unwrap_or(0)
        };
        let appended: i64 = ["b1", "b2", "b3"].iter().map(|b| of_topic(run.metrics(b))).sum();
        assert_eq!(appended, 1_000 * run.view().ledger.appended as i64);
        assert!(appended > 0);
    }

    #[test]
    fn the_past_has_its_own_figures() {
        let mut run = run();
        let last = run.event();
        run.seek_event(last);
        let now = run.metrics("web");
        let early = last / 10;
        run.seek_event(early);
        let then = run.metrics("web");
        assert_eq!(run.metrics_at(last, "web"), now);
        run.seek_event(last);
        assert_eq!(run.metrics_at(early, "web"), then);
        assert!(value(&then, "record-send-total") < value(&now, "record-send-total"));
    }

    #[test]
    fn lag_is_sampled_as_the_run_goes_on() {
        let mut run = Run::open(BUSY);
        run.seek_us(33_000_000);
        let lag = run.lag_history("risk");
        assert!(lag.at_us.len() > 100 && lag.at_us.is_sorted());
        assert_eq!(lag.total.len(), lag.at_us.len());
        assert_eq!(lag.partitions.len(), 2);
        let sums = |i: usize| lag.partitions.iter().map(|(_, series)| series[i]).sum::<i64>();
        assert!((0..lag.total.len()).all(|i| lag.total[i] == sums(i)));
        assert!(lag.total.iter().any(|total| *total > 0));
        // A fork has the same past.
        run.seek_us(10_000_000);
        run.fork("other");
        let fork = run.lag_history("risk");
        assert_eq!(fork.total[..], lag.total[..fork.total.len()]);
        assert!(fork.total.len() < lag.total.len());
    }
}
