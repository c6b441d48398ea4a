internal import ApusDNS
internal import NIOCore

/// Behind `dns.cares.`: Envoy's names, though it is not that library that resolves here.
package struct ResolverStats: StatisticsTable {
    package var resolutions: UInt64 = 0
    package var pending: Int64 = 0
    package var notFound: UInt64 = 0
    package var timeouts: UInt64 = 0
    package var failures: UInt64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        visitor.counter("resolve_total", &resolutions)
        visitor.gauge("pending_resolutions", &pending)
        visitor.counter("not_found", &notFound)
        visitor.counter("timeout", &timeouts)
        visitor.counter("get_addr_failure", &failures)
    }
}

/// Names to addresses, with the sockets of one loop. Nothing is remembered: who asks says when to ask again.
internal final class NameResolver {
    private struct Key: Hashable {
        let name: String
        let family: LookupFamily
        let options: ResolverOptions
    }

    /// A name under way, and all who wait for it.
    private final class Task {
        let key: Key
        var lookup: NameLookup
        let settings: ResolverSettings
        var waiting: [(NameLookup.Result) -> Void] = []

        init(_ key: Key, _ lookup: NameLookup, _ settings: ResolverSettings) {
            self.key = key
            self.lookup = lookup
            self.settings = settings
        }
    }

    private let worker: Worker
    private var files: SystemNameFiles
    private let counts: StatisticsScope<ResolverStats>
    private var tasks: [Key: Task] = [:]
    private var active = 0
    private var queue: [Key] = []
    private var turn = 0

    /// Names that are asked for at the same time; each takes one or two sockets.
    private static let mostActive = 256
    /// Names that wait.
    private static let mostWaiting = 100_000

    init(worker: Worker, files: SystemNameFiles = SystemNameFiles()) {
        self.worker = worker
        self.files = files
        counts = worker.scope("dns.cares", ResolverStats.self)
    }

    /// Calls back on the loop; at once if nobody has to be asked.
    func resolve(
        _ name: String, _ family: LookupFamily, _ options: ResolverOptions,
        _ done: @escaping (NameLookup.Result) -> Void
    ) {
        counts.stats.resolutions += 1
        let key = Key(name: name, family: family, options: options)
        if let task = tasks[key] {
            task.waiting.append(done)
            counts.stats.pending += 1
            return
        }
        let (system, hosts) = files.current(worker.loop.now)
        let settings = options.settings(over: system)
        var lookup = NameLookup(
            name, family: family, settings: settings, hosts: hosts, usesSearch: options.usesSearch)
        // Literals and names of the hosts file need no place.
        let step = lookup.start()
        guard case .ask(let questions) = step else {
            if case .done(let result) = step {
                count(result)
                done(result)
            }
            return
        }
        guard tasks.count < Self.mostWaiting else {
            count(.failed(.overloaded))
            return done(.failed(.overloaded))
        }
        counts.stats.pending += 1
        let task = Task(key, lookup, settings)
        task.waiting = [done]
        tasks[key] = task
        if active < Self.mostActive {
            active += 1
            ask(questions, task)
        } else {
            queue.append(key)
        }
    }

    private func ask(_ questions: [DNSQuestion], _ task: Task) {
        for question in questions {
            let query = DNSQuery(question, settings: task.settings, turn: turn)
            turn &+= 1
            NameExchange(query, on: worker, counts: counts) { [self] answer in
                take(answer, question, task)
            }.start()
        }
    }

    private func take(_ answer: DNSAnswer, _ question: DNSQuestion, _ task: Task) {
        switch task.lookup.take(answer, to: question) {
        case .wait: break
        case .ask(let questions): ask(questions, task)
        case .done(let result):
            tasks[task.key] = nil
            active -= 1
            counts.stats.pending -= Int64(task.waiting.count)
            for done in task.waiting {
                count(result)
                done(result)
            }
            startWaiting()
        }
    }

    private func startWaiting() {
        while active < Self.mostActive, !queue.isEmpty {
            let key = queue.removeFirst()
            guard let task = tasks[key] else { continue }
            active += 1
            // From the beginning: the machine has said its first step already.
            guard case .ask(let questions) = task.lookup.start() else { continue }
            ask(questions, task)
        }
    }

    private func count(_ result: NameLookup.Result) {
        switch result {
        case .completed(let addresses, _): if addresses.isEmpty { counts.stats.notFound += 1 }
        case .failed: counts.stats.failures += 1
        }
    }
}
