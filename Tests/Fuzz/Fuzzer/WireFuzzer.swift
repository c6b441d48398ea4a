internal import ApusCore
internal import ApusWire
internal import Foundation

/// `apus-fuzz --wire NAME`: the same search for the formats that peers send bytes in.
enum WireFuzzer {
    static func main(_ target: String, _ options: Fuzzer.Options) -> Int32 {
        guard let check = WireChecks.all.first(where: { $0.name == target }) else {
            Fuzzer.say("there is no format \(target), only \(WireChecks.all.map { $0.name }.joined(separator: ", "))")
            return 64
        }
        let corpus = options.corpus.flatMap { folder in
            ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
                .filter { $0.hasPrefix(target + ".") }
                .compactMap { FileManager.default.contents(atPath: folder + "/" + $0).map { Array($0) } }
        }
        guard !corpus.isEmpty else {
            Fuzzer.say("the corpus has no file \(target).*")
            return 1
        }
        return fuzz(check, corpus, options)
    }

    private static func fuzz(_ check: any WireCheck.Type, _ corpus: [[UInt8]], _ options: Fuzzer.Options) -> Int32 {
        try? FileManager.default.createDirectory(atPath: options.crashes, withIntermediateDirectories: true)
        let current = "\(options.crashes)/current-\(check.name).bin"
        let descriptor = open(current, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            Fuzzer.say("cannot write \(current)")
            return 1
        }
        let watchdog = Watchdog(limit: options.limit)
        var mutator = ByteMutator(seed: options.seed, corpus: corpus)
        var features: Set<String> = []
        var known: Set<String> = []
        var runs = 0
        let began = Watchdog.now().real
        var reported = began
        while true {
            let now = Watchdog.now().real
            if now - began >= options.seconds { break }
            let input = runs < corpus.count ? corpus[runs] : mutator.next()
            ftruncate(descriptor, 0)
            _ = input.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
            watchdog.start {
                Fuzzer.save(input, "\(options.crashes)/hang-\(check.name)-\(ContentVersion(of: input)).bin")
            }
            let outcome = check.run(input)
            _ = watchdog.stop()
            runs += 1
            if !outcome.features.isSubset(of: features) {
                features.formUnion(outcome.features)
                if runs > corpus.count { mutator.keep(input) }
            }
            for problem in outcome.problems where known.insert(Fuzzer.kind(problem)).inserted {
                let name = "\(options.crashes)/problem-\(check.name)-\(ContentVersion(of: input)).bin"
                Fuzzer.save(input, name)
                Fuzzer.say("\(name): \(problem.prefix(1000))")
            }
            if now - reported >= 10 {
                reported = now
                Fuzzer.say(
                    "\(check.name), \(Int(now - began)) s: \(runs) runs, \(features.count) features, pool "
                        + "\(mutator.pool.count), \(known.count) problems")
            }
        }
        unlink(current)
        let seconds = Watchdog.now().real - began
        Fuzzer.say(
            "\(check.name): \(runs) runs in \(Int(seconds)) s (\(Int(Double(runs) / seconds))/s), \(features.count) features, "
                + "\(known.count) problems")
        return known.isEmpty ? 0 : 1
    }
}

/// Changes bytes: single ones, ranges, pieces of other inputs, numbers at the edges. The same seed and the same corpus give
/// the same inputs.
struct ByteMutator {
    private var random: SeededRandom
    private(set) var pool: [[UInt8]]
    private let seeds: Int

    private static let longest = 64 << 10
    private static let largestPool = 4000
    private static let edges: [[UInt8]] = [
        [0], [0x7F], [0x80], [0xFF], [0x0A], [0x0D, 0x0A], [0x20], [0x09], [0x3A], [0x25], [0xFF, 0xFF, 0xFF, 0xFF],
        [0x7F, 0xFF, 0xFF, 0xFF], [0xC0, 0x0C], Array("0".utf8), Array("chunked".utf8),
        Array("Content-Length: 1\r\n".utf8),
        Array("Transfer-Encoding: chunked\r\n".utf8), Array("%REQ(X?Y):3%".utf8),
    ]

    init(seed: UInt64, corpus: [[UInt8]]) {
        random = SeededRandom(seed: seed)
        pool = corpus
        seeds = corpus.count
    }

    mutating func keep(_ input: [UInt8]) {
        if pool.count < Self.largestPool { pool.append(input) } else { pool[seeds + below(pool.count - seeds)] = input }
    }

    mutating func next() -> [UInt8] {
        var input = pool[below(3) == 0 ? max(0, pool.count - 1 - below(50)) : below(pool.count)]
        for _ in 0...below(below(3) == 0 ? 12 : 4) { mutate(&input) }
        if input.count > Self.longest { input.removeLast(input.count - Self.longest) }
        return input
    }

    private mutating func below(_ limit: Int) -> Int { limit <= 1 ? 0 : Int.random(in: 0..<limit, using: &random) }

    private mutating func mutate(_ input: inout [UInt8]) {
        let place = below(input.count + 1)
        switch below(8) {
        case 0 where place < input.count: input[place] ^= 1 << UInt8(below(8))
        case 1 where place < input.count: input[place] = UInt8(below(256))
        case 2 where place < input.count: input[place] &+= below(2) == 0 ? 1 : 255
        case 3: input.removeSubrange(place..<min(input.count, place + 1 + below(below(4) == 0 ? 200 : 8)))
        case 4: input.insert(contentsOf: Self.edges[below(Self.edges.count)], at: place)
        case 5:
            // A piece of its own, once more.
            let end = min(input.count, place + 1 + below(64))
            input.insert(contentsOf: input[place..<end], at: below(input.count + 1))
        case 6:
            let other = pool[below(pool.count)]
            let from = below(other.count + 1)
            input.insert(contentsOf: other[from..<min(other.count, from + 1 + below(128))], at: place)
        default:
            let other = pool[below(pool.count)]
            input = Array(input[..<place]) + other[min(place, other.count)...]
        }
    }
}
