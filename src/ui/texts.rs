//! Every text of the page, in one catalogue. Another language is another value of [`Texts`]; the compiler says what it
//! lacks. Texts that hold figures are functions, so that each language can put them where they belong.

use crate::lab::view::{FlightView, ReplicaView};

use super::format;

/// Declares the catalogue and its English at once.
macro_rules! catalogue {
    (words { $($word:ident: $text:literal,)* } sentences { $($name:ident: $shape:ty = $make:expr,)* }) => {
        /// The texts of one language.
        pub struct Texts {
            $(pub $word: &'static str,)*
            $(pub $name: $shape,)*
        }

        /// English.
        pub const EN: Texts = Texts { $($word: $text,)* $($name: $make,)* };
    };
}

/// The texts of the language in use.
pub fn t() -> &'static Texts {
    &EN
}

catalogue! {
    words {
        skip: "Skip to the stage",
        cluster: "Cluster",
        producers: "Producers",
        add: "Add",
        inject_fault: "Inject fault",
        layer: "Show heartbeats and idle polls",
        topic: "Topic",
        topics: "Topics",
        command_line: "Command",
        command_hint: "crash b1",
        completions: "Completions",
        scenarios: "Scenarios",
        own: "Your own",
        empty_scenario: "Start empty",
        save_file: "Save as file",
        branches: "Branches",
        fork_here: "Fork here",
        undo: "Undo",
        undo_key: "Undo the last command (Ctrl Z)",
        more: "More",
        faster: "Faster",
        slower: "Slower",
        page: "Page",
        theme: "Switch theme",
        help: "Help and keyboard",
        how_known: "How do you know?",
        known_loading: "Loading what proves what…",
        known_missing: "FIDELITY.md could not be loaded: it lies beside the page on its server.",
        known_rule: "What proves this rule",
        copy_link: "Copy link",
        copy_failed: "The browser did not let the link be copied. It stands in the address bar.",
        meter_note: "Length of the link. Chat and mail tools may cut links near 2,000 characters.",
        untitled: "Untitled scenario",
        close: "Close",
        dismiss: "Dismiss",
        bad_link: "This link cannot be opened",
        bad_link_note: "Nothing else was opened in its place. Ask for the link again, or for the scenario as a file.",
        open_sandbox: "Open the sandbox",
        back_to_work: "Back to my work",
        nothing_to_undo: "There is no command to undo.",
        help_title: "How to read this page",
        help_text: "Every box is a machine, every row a copy of a partition, every cell a record. Green is committed; hatched is appended but not committed; a tick says that the producer was told. The black flag is the log end offset (LEO), the green one the high watermark (HW); both name the next offset. Click anything to select it, double click to inspect it, right click for its faults. Everything that you do becomes a line of the scenario.",
        keyboard: "Keyboard",
        key_play: "Play or pause",
        key_step: "Step, step back",
        key_matters: "Step to what matters",
        key_ends: "Start, end",
        key_speed: "Slower, faster",
        key_fork: "Fork here",
        key_branch: "Next, previous branch",
        key_why: "Why? of the selection",
        key_crash: "Crash the selection",
        key_faults: "Faults of the selection",
        key_command: "Command line",
        key_tabs: "Log … ledger",
        key_regions: "Between regions",
        key_cells: "Inside a log",
        key_copy_of: "Same record, next copy",
        key_idle: "Show heartbeats",
        key_undo: "Undo",
        key_link: "Copy link",
        key_help: "This help",
        key_close: "Close",
        inspect: "Inspect",
        why: "Why?",
        why_read: "Read down: each line was caused by the one below it.",
        why_unknown: "Nothing is known of what caused this.",
        no_why: "The log has no entry that speaks of the selection.",
        go_there: "Go to this moment",
        faults_process: "Faults: the process",
        faults_disk: "Faults: disk",
        faults_network: "Faults: network",
        network: "Network",
        crash: "Crash",
        crash_note: "page cache kept",
        power_off: "Power off",
        power_off_note: "unflushed records lost",
        freeze: "Freeze",
        freeze_note: "a long collection, SIGSTOP",
        thaw: "Thaw",
        shutdown: "Shut down",
        shutdown_note: "hands leaderships over",
        close_note: "close(), says goodbye",
        restart: "Restart",
        remove: "Remove",
        remove_note: "gone for good",
        data: "Data",
        produce_one: "Produce a record",
        start_load: "Start a load",
        stop_load: "Stop its load",
        start_poll: "Start polling",
        stop_poll: "Stop polling",
        stop_poll_note: "past max.poll.interval.ms it is thrown out",
        commit_now: "Commit what was read",
        seek_start: "Seek to the beginning",
        disk_slow: "Slow disk",
        disk_full: "Disk full",
        disk_wipe: "Wipe the disk",
        disk_wipe_note: "every log on it is gone",
        disk_ok: "Mend the disk",
        isolate: "Cut from everything",
        isolate_note: "connections stay open",
        slow_links: "Delay its messages",
        lossy_links: "Lose its messages",
        heal: "Heal",
        heal_all: "Heal all links",
        cut_both: "Cut both ways",
        delay: "Delay",
        lose: "Lose a share",
        elect_preferred: "Elect the preferred leader",
        elect_unclean: "Unclean election",
        elect_unclean_note: "may lose records",
        drop: "Drop this one",
        hold: "Hold it",
        hold_note: "until you release it",
        release: "Release it",
        delay_message: "Delay it",
        duplicate: "Deliver it twice",
        reorder: "Let the next one overtake",
        a_broker: "Broker",
        a_producer: "Producer",
        a_consumer: "Consumer",
        a_topic: "Topic",
        alive: "alive",
        starting: "starting",
        fenced: "fenced",
        stopping: "shutting down",
        stopped: "stopped",
        crashed: "crashed",
        powered_off: "powered off",
        frozen: "frozen",
        coordinator: "coordinator",
        no_replica: "No copy of this topic on this broker.",
        cache_kept: "page cache kept",
        cache_lost: "page cache lost",
        leader: "leader",
        follower: "follower",
        offline: "offline",
        out_of_isr: "out of ISR",
        committed: "committed",
        not_committed: "not committed",
        lost: "lost",
        truncated: "truncated",
        control_record: "control record",
        acknowledged: "acknowledged",
        appended: "appended",
        delivered: "delivered",
        waiting: "waiting",
        duplicated: "duplicated",
        reordered: "reordered",
        failed: "failed",
        idempotent: "idempotent",
        in_flight: "in flight",
        still_in_isr: "in the ISR",
        buffered: "batching",
        acked: "acked",
        working: "working",
        no_partition: "no partition",
        controller: "controller",
        sees_brokers: "How the controller sees the brokers",
        in_flight_list: "Messages in flight",
        links: "Links",
        ledger: "Ledger",
        ledger_label: "Ledger: what became of every record",
        show_records: "Show these records in the ledger",
        timeline: "Timeline",
        transport: "Time",
        to_start: "To the start (Home)",
        step_back: "Step back (left arrow)",
        play: "Play (space)",
        pause: "Pause (space)",
        step: "Step to the next event (right arrow)",
        matters_label: "Step to what matters (shift right arrow)",
        matters_next: "What matters",
        virtual_time: "Virtual time",
        speed: "Speed",
        fold_idle: "Fold idle",
        fold_note: "Stretches where nothing happens but heartbeats are folded, and passed over while playing",
        time: "time",
        events: "events",
        marks: "marks",
        plot: "Events over virtual time, with marks and branches",
        idle: "idle",
        details: "Details",
        sheet_open: "Open the details",
        sheet_close: "Close the details",
        log: "Log",
        inspector: "Inspector",
        console: "Console",
        scenario: "Scenario",
        search_log: "Search the log",
        search_hint: "Search, or loan_request/0, kim, b1",
        show: "Show",
        matters: "Matters",
        all: "All",
        heartbeats: "Heartbeats",
        log_empty: "Nothing has happened yet",
        clear_search: "Clear the search",
        events_list: "Events",
        console_output: "What was commanded",
        console_hint: "Commands that you issue appear here, whether by a click, a key or this line. The language is the scenario's own: try “crash b1” or “produce web loan_request key=kim \"300\"”.",
        produce_form: "Produce a record",
        producer: "Producer",
        key: "Key",
        value: "Value",
        produce: "Produce",
        applied: "applied",
        scenario_text: "Scenario text",
        record: "record",
        place: "where",
        fate_so_far: "fate so far",
        no_records: "No client has handed over a record yet",
        metrics: "Metrics",
        state_since: "In this state since",
        host: "Host",
        broker: "broker",
        broker_epoch: "Broker epoch",
        metadata_offset: "Metadata offset",
        unflushed_records: "Unflushed records",
        coordinates: "Coordinates",
        replicas: "Replicas",
        partition: "Partition",
        role: "Role",
        controller_epoch_word: "Controller epoch",
        metadata_end: "Metadata log end",
        metadata_committed: "Metadata committed",
        quorum_role: "Quorum role",
        quorum_leader: "Quorum leader",
        quorum_voted: "Voted for",
        sent: "sent",
        last_error: "Last error",
        state: "State",
        working_on: "Working on",
        generation: "Generation",
        group_leader: "Leads the group",
        yes: "yes",
        no: "no",
        consumer: "consumer",
        assignment: "Assignment",
        position: "Position",
        end: "End",
        lag_word: "Lag",
        link: "link",
        link_plain: "up",
        leader_epoch: "Leader epoch",
        leader_known: "Leader as it knows",
        in_isr: "In the ISR",
        log_start: "Log start offset",
        high_watermark: "High watermark",
        last_stable: "Last stable offset",
        log_end: "Log end offset",
        flushed_to: "Flushed up to",
        size: "Size",
        epoch_checkpoint: "Epoch checkpoint",
        adding: "Adding",
        removing: "Removing",
        as_controller: "As the controller has it",
        handed_over: "Handed over",
        delivered_to: "Delivered to",
        copies: "Copies",
        next_copy: "Next copy",
        message_gone: "The message has arrived, or was lost.",
        from: "From",
        to: "To",
        sent_at: "Sent at",
        arrives: "Arrives",
        held: "held until it is released",
        message: "message",
        overview: "At a glance",
        select_hint: "Click a host, a link, a record or a message on the stage: its state, settings and faults stand here.",
        protocol: "Protocol",
        assignor: "Assignor",
        members: "Members",
        nothing_here: "Nothing here yet",
        nothing_here_note: "Add three brokers and a topic, or open a scenario.",
        three_brokers: "Three brokers",
        empty_text: "lab 1\ntitle \"Untitled\"\n",
        three_brokers_text: "lab 1\ntitle \"Three brokers\"\nseed 1\n\ncontroller c1\nbroker b1..b3\ntopic loan_request partitions=3 replicas=3\nproducer web\nconsumer w1 group=loans topics=loan_request\n",
    }
    sentences {
        leads: fn(&str, &str) -> String = |name, partitions| format!("{name}, leads {partitions}"),
        cut_from: fn(&str) -> String = |peer| format!("Cut from {peer}"),
        cut_way: fn(&str, &str) -> String = |a, b| format!("Cut {a} → {b} only"),
        crash_leader: fn(&str) -> String = |leader| format!("Crash its leader, {leader}"),
        wipe_replica: fn(&str) -> String = |leader| format!("Wipe this copy on {leader}"),
        branch_is: fn(&str) -> String = |name| format!("Branch: {name}"),
        on_branch: fn(&str) -> String = |name| format!("This is branch {name} now. The others are kept."),
        forked: fn(&str, &str) -> String = |new, old| format!("You changed the past: this is branch {new}. {old} is kept."),
        of_characters: fn(&str, &str) -> String = |n, most| format!("{n} of {most}"),
        copied: fn(usize) -> String = |n| format!("Link copied, {} characters.", format::count(n as u64)),
        invariant_broke: fn(&str, &str) -> String = |name, how| format!("{name} broke: {how}"),
        partitions: fn(usize) -> String = |n| if n == 1 { "1 partition".to_owned() } else { format!("{n} partitions") },
        broker_is: fn(&str, &str) -> String = |name, state| format!("Broker {name}, {state}"),
        producer_is: fn(&str, &str) -> String = |name, state| format!("Producer {name}, {state}"),
        consumer_is: fn(&str, &str) -> String = |name, state| format!("Consumer {name}, {state}"),
        controller_is: fn(&str, &str) -> String = |name, state| format!("Controller {name}, {state}"),
        actions_for: fn(&str) -> String = |name| format!("Actions and faults for {name}"),
        rack: fn(&str) -> String = |rack| format!("rack {rack}"),
        unflushed: fn(&str) -> String = |n| format!("{n} unflushed"),
        since: fn(&str, &str) -> String = |word, span| format!("{word}, {span} ago"),
        epoch_isr: fn(i32, &str) -> String = |epoch, isr| format!("e{epoch} · ISR {isr}"),
        epoch_in_sync: fn(i32) -> String = |epoch| format!("e{epoch} · in sync"),
        epoch_starts: fn(i32) -> String = |epoch| format!("leader epoch {epoch} starts here"),
        log_label: fn(&ReplicaView, &str) -> String = log_label,
        cell_title: fn(i64, &str, &str) -> String = |offset, name, state| format!("offset {offset}, {name}, {state}"),
        group: fn(&str) -> String = |name| format!("Group {name}"),
        group_state: fn(&str, i32, Option<&str>) -> String = group_state,
        most_in_flight: fn(u32) -> String = |most| format!("max.in.flight.requests.per.connection is {most}"),
        of: fn(&str, &str) -> String = |n, all| format!("{n} of {all}"),
        track: fn(&str, &str, i64) -> String = |committed, position, end| format!("commit {committed} pos {position} end {end}"),
        lag: fn(i64) -> String = |lag| format!("lag {lag}"),
        quorum_lag: fn(&str) -> String = |name| format!("Metadata lag of {name}"),
        and_more: fn(usize) -> String = |n| format!("and {n} more"),
        controller_epoch: fn(i32) -> String = |epoch| format!("controller, epoch {epoch}"),
        percent_lost: fn(u32) -> String = |percent| format!("{percent} % lost"),
        flight: fn(&FlightView, u64) -> String = flight,
        flight_tip: fn(&FlightView, u64) -> (String, String) = flight_tip,
        link_is: fn(&str, &str, bool, bool, &str) -> String = link_is,
        link_state: fn(&str, bool, u64, u32) -> String = link_state,
        invariants_hold: fn(usize) -> String = |n| format!("{n} invariants hold"),
        invariants_broken: fn(usize, usize) -> String = |n, all| format!("{n} of {all} broken"),
        invariants: fn(usize, usize) -> String = |holding, all| format!("{holding} of {all} invariants hold"),
        event_of: fn(&str, &str) -> String = |n, all| format!("event {n} of {all}"),
        rate: fn(&str) -> String = |span| format!("{span} / s"),
        quiet_for: fn(&str) -> String = |span| format!("{span} in which nothing that matters happened"),
        no_match: fn(&str) -> String = |words| format!("No event matches “{words}”"),
        why_this: fn(&str) -> String = |sentence| format!("Why? {sentence}"),
        text_size: fn(&str, usize) -> String = |characters, lines| format!("{characters} characters, {lines} lines"),
        errors: fn(usize) -> String = |n| if n == 1 { "1 error".to_owned() } else { format!("{n} errors") },
        line_column: fn(usize, usize) -> String = |line, column| format!("Line {line}, column {column}:"),
        last_good: fn(&str) -> String = |moment| format!("The run keeps the last good text and stands at {moment} s."),
        fate: fn(&'static str) -> &'static str = |fate| fate,
        no_fate: fn(&str) -> String = |fate| format!("No record is {fate}"),
        records_in_all: fn(usize) -> String = |n| format!("{n} records so far."),
        older_hidden: fn(usize) -> String = |n| format!("{n} older records are not shown."),
        read_by: fn(&str) -> String = |who| format!(" to {who}"),
        gone: fn(&str) -> String = |what| format!("{what} does not exist at this moment."),
        sees: fn(&str) -> String = |name| format!("sees {name} as"),
        behind: fn(i64, i64) -> String = |offset, lag| if lag == 0 { offset.to_string() } else { format!("{offset}, {lag} behind") },
        bytes: fn(&str) -> String = |n| format!("{n} B"),
        settings: fn(usize) -> String = |n| if n == 1 { "1 setting".to_owned() } else { format!("{n} settings") },
        arrives_in: fn(&str) -> String = |span| format!("in {span}"),
        own_replicas: fn(usize) -> String = |n| format!("{n} replicas of Kafka’s own topics"),
        topic_is: fn(&str) -> String = |name| format!("Topic {name}"),
    }
}

fn log_label(r: &ReplicaView, broker: &str) -> String {
    let role = match r.role {
        crate::lab::view::Role::Leader => "leader",
        crate::lab::view::Role::Follower => "follower",
        crate::lab::view::Role::Offline => "offline",
    };
    let (p, epoch, end, hw) = (r.partition, r.epoch, r.end, r.high_watermark);
    format!("P{p} on {broker}, {role}, leader epoch {epoch}, log end offset {end}, high watermark {hw}")
}

fn group_state(state: &str, generation: i32, coordinator: Option<&str>) -> String {
    match coordinator {
        // A coordinator that does not run knows nothing of its groups.
        Some(broker) if generation < 0 => format!("coordinator {broker} does not know it"),
        Some(broker) => format!("{state}, generation {generation}, coordinator {broker}"),
        None => format!("{state}, generation {generation}, no coordinator"),
    }
}

fn flight(f: &FlightView, left_us: u64) -> String {
    let when = if f.held {
        "held".to_owned()
    } else {
        format!("arrives in {}", format::span(left_us))
    };
    format!("{} from {} to {}, {}, {when}", f.kind, f.from, f.to, f.text)
}

fn flight_tip(f: &FlightView, left_us: u64) -> (String, String) {
    let when = if f.held {
        "held until it is released".to_owned()
    } else {
        format!("arrives in {}", format::span(left_us))
    };
    (
        format!("{} {} → {}", f.kind, f.from, f.to),
        if f.text.is_empty() {
            when
        } else {
            format!("{}, {when}", f.text)
        },
    )
}

fn link_is(a: &str, b: &str, cut_there: bool, cut_back: bool, trouble: &str) -> String {
    let state = match (cut_there, cut_back) {
        (true, true) => "cut both ways".to_owned(),
        (true, false) => format!("cut from {a} to {b}"),
        (false, true) => format!("cut from {b} to {a}"),
        (false, false) if trouble.is_empty() => "up".to_owned(),
        (false, false) => trouble.to_owned(),
    };
    format!("Link {a} to {b}, {state}")
}

fn link_state(latency: &str, cut: bool, delay_us: u64, loss_percent: u32) -> String {
    if cut {
        return "cut".to_owned();
    }
    let mut words = latency.to_owned();
    if delay_us > 0 {
        words.push_str(&format!(" + {}", format::span(delay_us)));
    }
    if loss_percent > 0 {
        words.push_str(&format!(", {loss_percent} % lost"));
    }
    words
}
