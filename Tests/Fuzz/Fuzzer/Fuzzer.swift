internal import ApusCore
internal import ApusFlow
internal import Foundation

/// `apus-fuzz`: looks for manifests that crash, hang or confuse the way from text to resources.
@main struct Fuzzer {
    struct Options {
        var seconds = 60.0
        var seed: UInt64 = 1
        var corpus: [String] = []
        var crashes = "."
        var replay = false
        var wire: String?
        /// Seconds of processor time that one input may take.
        var limit = 5.0
    }

    static let usage = """
        usage: apus-fuzz [--seconds N] [--seed S] [--corpus DIR]... [--crashes DIR] [--limit S] [--replay] [--wire NAME]
          --wire    a format that peers send bytes in, instead of manifests; files NAME.* of the corpus begin
          --replay  runs every file of the corpus once instead; exits with 1 if a rule does not hold
        An input that breaks a rule is written to the crashes folder as problem-*.yaml, one that takes too long as
        hang-*.yaml; the input at hand when the process dies is current.yaml there.

        """

    static func main() {
        guard let options = parse(Array(CommandLine.arguments.dropFirst())) else {
            FileHandle.standardError.write(Data(usage.utf8))
            exit(64)
        }
        // A memory bomb shall end here and not in the rest of the machine.
        var limit = rlimit(rlim_cur: 4 << 30, rlim_max: 4 << 30)
        setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit)
        if let wire = options.wire { exit(WireFuzzer.main(wire, options)) }
        let check = FlowCheck()
        if !check.baseProblems.isEmpty {
            say("the base mesh is not sound: \(check.baseProblems)")
            exit(1)
        }
        exit(options.replay ? replay(options, check) : fuzz(options, check))
    }

    static func parse(_ arguments: [String]) -> Options? {
        var options = Options()
        var rest = arguments[...]
        while let name = rest.popFirst() {
            if name == "--replay" {
                options.replay = true
                continue
            }
            guard let value = rest.popFirst() else { return nil }
            switch name {
            case "--seconds":
                guard let number = Double(value), number > 0 else { return nil }
                options.seconds = number
            case "--seed":
                guard let number = UInt64(value) else { return nil }
                options.seed = number
            case "--limit":
                guard let number = Double(value), number > 0 else { return nil }
                options.limit = number
            case "--wire": options.wire = value
            case "--corpus": options.corpus.append(value)
            case "--crashes": options.crashes = value
            default: return nil
            }
        }
        return options
    }

    static func files(_ folders: [String]) -> [(path: String, bytes: [UInt8])] {
        folders.flatMap { folder in
            ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
                .filter { $0.hasSuffix(".yaml") }
                .compactMap { name in
                    let path = folder + "/" + name
                    return FileManager.default.contents(atPath: path).map { (path, Array($0)) }
                }
        }
    }

    // MARK: Replay

    static func replay(_ options: Options, _ check: FlowCheck) -> Int32 {
        let watchdog = Watchdog(limit: options.limit)
        var failed = 0
        var digest: UInt64 = 0
        let files = files(options.corpus)
        for (path, bytes) in files {
            watchdog.start { FileHandle.standardError.write(Data("\(path)\n".utf8)) }
            let outcome = check.run(bytes, thorough: true)
            let again = check.run(bytes, thorough: true)
            _ = watchdog.stop()
            var problems = outcome.problems
            if outcome.digest != again.digest { problems.append("a second run gives something else") }
            digest = XXHash64.hash(path, seed: digest ^ outcome.digest)
            if !problems.isEmpty {
                failed += 1
                for problem in Set(problems).sorted() { say("\(path): \(problem)") }
            }
        }
        say("digest \(ContentVersion(digest))")
        say("\(files.count - failed) passed, \(failed) failed")
        return failed == 0 && !files.isEmpty ? 0 : 1
    }

    // MARK: Fuzzing

    static func fuzz(_ options: Options, _ check: FlowCheck) -> Int32 {
        let crashes = options.crashes
        let current = crashes + "/current.yaml"
        try? FileManager.default.createDirectory(atPath: crashes, withIntermediateDirectories: true)
        if let left = FileManager.default.contents(atPath: current) {
            let name = "\(crashes)/crash-\(ContentVersion(of: Array(left))).yaml"
            try? left.write(to: URL(fileURLWithPath: name))
            say("an earlier run died with \(name)")
        }
        let descriptor = open(current, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            say("cannot write \(current)")
            return 1
        }
        let watchdog = Watchdog(limit: options.limit)
        let corpus = files(options.corpus).map(\.bytes)
        var mutator = Mutator(seed: options.seed, corpus: corpus)
        var features: Set<UInt64> = []
        var known: Set<String> = []
        var runs = 0
        var valid = 0
        var slowest = 0.0
        var refusals: [String: Int] = [:]
        let began = Watchdog.now().real
        var reported = began
        while true {
            let now = Watchdog.now().real
            if now - began >= options.seconds { break }
            let input = runs < corpus.count ? corpus[runs] : mutator.next()
            ftruncate(descriptor, 0)
            _ = input.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
            watchdog.start {
                let name = "\(crashes)/hang-\(ContentVersion(of: input)).yaml"
                try? Data(input).write(to: URL(fileURLWithPath: name))
            }
            let outcome = check.run(input, thorough: false)
            let taken = watchdog.stop()
            runs += 1
            if outcome.objects > 0 { valid += 1 }
            for refusal in outcome.refusals { refusals[withoutValues(refusal), default: 0] += 1 }
            if taken > slowest {
                slowest = taken
                if taken > 0.5 { save(input, "\(crashes)/slow-\(Int(taken * 1000))ms.yaml") }
            }
            if !outcome.features.isSubset(of: features) {
                features.formUnion(outcome.features)
                if runs > corpus.count { mutator.keep(input) }
            }
            for problem in outcome.problems where known.insert(kind(problem)).inserted {
                let name = "\(crashes)/problem-\(ContentVersion(of: kind(problem))).yaml"
                save(input, name)
                say("\(name): \(problem)")
            }
            if now - reported >= 10 {
                reported = now
                say(
                    "\(Int(now - began)) s: \(runs) runs, \(Int(Double(runs) / (now - began)))/s, \(valid) with objects, "
                        + "\(features.count) features, pool \(mutator.pool.count), \(known.count) problems, slowest "
                        + "\(Int(slowest * 1000)) ms")
            }
        }
        unlink(current)
        for (refusal, count) in refusals.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }).prefix(60) {
            say("refused \(count) times: \(refusal)")
        }
        let seconds = Watchdog.now().real - began
        say(
            "\(runs) runs in \(Int(seconds)) s (\(Int(Double(runs) / seconds))/s), \(valid) with objects, "
                + "\(features.count) features, slowest \(Int(slowest * 1000)) ms, \(known.count) problems")
        return known.isEmpty ? 0 : 1
    }

    /// Unbuffered: what is said must be out before the process dies.
    static func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    static func save(_ input: [UInt8], _ path: String) {
        try? Data(input).write(to: URL(fileURLWithPath: path))
    }

    /// A problem without what differs from input to input: quoted and bracketed words, names with dots or bars, numbers.
    static func kind(_ text: String) -> String {
        var result: [Substring] = []
        for word in text.prefix(400).split(separator: " ") {
            let isName = word.contains { ".|/[]'\"".contains($0) || $0.isNumber } || !word.utf8.allSatisfy { $0 < 0x80 }
            result.append(isName && !word.hasSuffix("]:") ? "_" : word)
        }
        return result.joined(separator: " ")
    }

    /// A refusal without numbers and quoted values: its path and its reason stay.
    static func withoutValues(_ text: String) -> String {
        let parts = text.prefix(400).split(separator: "'", omittingEmptySubsequences: false)
        return parts.enumerated().map { $0 % 2 == 0 ? String($1.filter { !$0.isNumber }) : "_" }.joined(separator: "'")
    }
}
