internal import ApusTraffic
internal import Testing

@Suite struct OutlierDetectorTests {
    private let second: Int64 = 1_000_000_000

    @Test func `five errors in a row eject a host and a success starts the count anew`() {
        var config = OutlierDetectionConfig()
        config.maxEjectionPercent = 50
        var detector = OutlierDetector(config: config, hostCount: 4)
        for _ in 0..<4 { #expect(record(&detector, 500) == false) }
        #expect(record(&detector, 200) == false)
        for _ in 0..<4 { #expect(record(&detector, 500) == false) }
        #expect(record(&detector, 500))
        #expect(detector.isEjected(0))
    }

    private func record(_ detector: inout OutlierDetector, _ status: UInt16, host: Int = 0) -> Bool {
        detector.record(.response(status: status), host: host, now: 0, random: 0)
    }

    @Test func `the limit counts the host to be ejected, so ten percent of four hosts is none`() {
        var detector = OutlierDetector(config: OutlierDetectionConfig(), hostCount: 4)
        var ejected = false
        for _ in 0..<5 { ejected = record(&detector, 500) }
        #expect(!ejected && detector.counts.overflows == 1)
        var config = OutlierDetectionConfig()
        config.alwaysEjectsOneHost = true
        var other = OutlierDetector(config: config, hostCount: 4)
        for _ in 0..<5 { ejected = record(&other, 500) }
        #expect(ejected)
    }

    @Test func `a host returns after its time, which grows with every ejection`() {
        var config = OutlierDetectionConfig()
        config.maxEjectionPercent = 100
        var detector = OutlierDetector(config: config, hostCount: 1)
        for _ in 0..<5 { _ = record(&detector, 500) }
        var changed = detector.sweep(now: 29 * second, random: 0)
        #expect(!changed)
        changed = detector.sweep(now: 30 * second, random: 0)
        #expect(changed && !detector.isEjected(0))
        for _ in 0..<5 { _ = record(&detector, 500) }
        changed = detector.sweep(now: 59 * second, random: 0)
        #expect(!changed)
        changed = detector.sweep(now: 60 * second, random: 0)
        #expect(changed)
    }

    @Test func `jitter makes an ejection longer by less than its bound`() {
        var config = OutlierDetectionConfig()
        config.maxEjectionPercent = 100
        config.maxEjectionTimeJitter = .seconds(10)
        var returned: Set<Int64> = []
        for seed in 0..<50 as Range<UInt64> {
            var detector = OutlierDetector(config: config, hostCount: 1)
            for _ in 0..<5 { _ = detector.record(.response(status: 500), host: 0, now: 0, random: seed) }
            for time in 29...41 as ClosedRange<Int64> where detector.sweep(now: time * second, random: 0) {
                returned.insert(time)
            }
        }
        #expect(returned.count > 5 && returned.min() ?? 0 > 30 && returned.max() ?? 99 <= 40)
    }

    @Test func `a host whose success rate falls out of the crowd is ejected`() {
        var config = OutlierDetectionConfig()
        config.maxEjectionPercent = 50
        config.consecutive5xx = 0
        var detector = OutlierDetector(config: config, hostCount: 6)
        for host in 0..<6 {
            for request in 0..<100 { _ = record(&detector, host == 3 && request % 2 == 0 ? 500 : 200, host: host) }
        }
        let changed = detector.sweep(now: second, random: 0)
        #expect(changed && (0..<6).filter(detector.isEjected) == [3])
    }

    @Test(arguments: [(3, 33, false), (3, 34, true), (2, 50, true), (1, 50, false), (1, 100, true)])
    func `the share of ejected hosts is not rounded before it is held against the limit`(
        hosts: Int, percent: UInt32, ejects: Bool
    ) {
        var config = OutlierDetectionConfig()
        config.maxEjectionPercent = percent
        var detector = OutlierDetector(config: config, hostCount: hosts)
        for _ in 0..<5 { _ = record(&detector, 500) }
        #expect(detector.isEjected(0) == ejects && detector.counts.overflows == (ejects ? 0 : 1))
        #expect(detector.counts.detected[OutlierDetector.Cause.consecutive5xx.rawValue] == 1)
    }

    @Test func `what is seen but not enforced is counted and the count in a row begins anew`() {
        var config = OutlierDetectionConfig()
        config.maxEjectionPercent = 100
        config.enforcingConsecutive5xx = 0
        var detector = OutlierDetector(config: config, hostCount: 1)
        for _ in 0..<9 { #expect(!record(&detector, 500)) }
        #expect(detector.counts.detected[OutlierDetector.Cause.consecutive5xx.rawValue] == 1)
        _ = record(&detector, 500)
        #expect(detector.counts.detected[OutlierDetector.Cause.consecutive5xx.rawValue] == 2)
        #expect(detector.counts.enforcedTotal == 0)
    }

    @Test func `gateway failures in a row are ended by another error, 5xx in a row are not`() {
        var config = OutlierDetectionConfig()
        config.maxEjectionPercent = 100
        config.consecutive5xx = 0
        config.consecutiveGatewayFailure = 3
        config.enforcingConsecutiveGatewayFailure = 100
        var detector = OutlierDetector(config: config, hostCount: 1)
        for status in [502, 503, 500, 504, 503] as [UInt16] { #expect(!record(&detector, status)) }
        #expect(record(&detector, 502))
    }

    @Test func `local failures count as 503 and 504 unless they are split from the host's answers`() {
        var config = OutlierDetectionConfig()
        config.maxEjectionPercent = 100
        config.consecutive5xx = 2
        config.consecutiveLocalOriginFailure = 3
        var joined = OutlierDetector(config: config, hostCount: 1)
        var ejected = joined.record(.localFailure, host: 0, now: 0, random: 0)
        #expect(!ejected)
        // A connection alone is no answer.
        ejected = joined.record(.localSuccess, host: 0, now: 0, random: 0)
        ejected = joined.record(.localTimeout, host: 0, now: 0, random: 0)
        #expect(ejected)
        config.splitsLocalOriginErrors = true
        var split = OutlierDetector(config: config, hostCount: 1)
        for outcome in [.localFailure, .localTimeout, .localSuccess, .localFailure, .localTimeout]
            as [OutlierDetector.Outcome]
        {
            ejected = split.record(outcome, host: 0, now: 0, random: 0)
            #expect(!ejected)
            // Answers of the host are another matter.
            ejected = split.record(.response(status: 200), host: 0, now: 0, random: 0)
        }
        ejected = split.record(.localFailure, host: 0, now: 0, random: 0)
        #expect(ejected)
        #expect(split.counts.enforced[OutlierDetector.Cause.consecutiveLocalOriginFailure.rawValue] == 1)
    }

    @Test func `a host that fails more than the threshold is ejected at the end of the interval`() {
        var config = OutlierDetectionConfig()
        config.maxEjectionPercent = 100
        config.consecutive5xx = 0
        config.enforcingSuccessRate = 0
        config.enforcingFailurePercentage = 100
        config.failurePercentageMinimumHosts = 2
        config.failurePercentageRequestVolume = 10
        config.failurePercentageThreshold = 50
        var detector = OutlierDetector(config: config, hostCount: 3)
        for host in 0..<3 {
            for request in 0..<10 { _ = record(&detector, request < host * 3 ? 500 : 200, host: host) }
        }
        let changed = detector.sweep(now: second, random: 0)
        #expect(changed && (0..<3).filter(detector.isEjected) == [2])
        #expect(detector.successRate(1).external == 70)
        // The next interval begins with nothing.
        let again = detector.sweep(now: 2 * second, random: 0)
        #expect(!again && detector.successRate(1).external == nil)
    }

    @Test func `the time of ejection grows to its limit and shrinks with every interval in service`() {
        var config = OutlierDetectionConfig()
        config.maxEjectionPercent = 100
        config.maxEjectionTime = .seconds(60)
        config.consecutive5xx = 1
        var detector = OutlierDetector(config: config, hostCount: 1)
        var now: Int64 = 0
        var times: [Int64] = []
        for _ in 0..<4 {
            _ = detector.record(.response(status: 500), host: 0, now: now, random: 0)
            let since = now
            while detector.isEjected(0) {
                now += second
                _ = detector.sweep(now: now, random: 0)
            }
            times.append((now - since) / second)
        }
        #expect(times == [30, 60, 60, 60])
        for _ in 0..<5 { _ = detector.sweep(now: now, random: 0) }
        _ = detector.record(.response(status: 500), host: 0, now: now, random: 0)
        let early = detector.sweep(now: now + 29 * second, random: 0)
        let due = detector.sweep(now: now + 30 * second, random: 0)
        #expect(!early && due)
    }

    @Test func `codes of one's own take the place of those from 500`() {
        func status(_ code: String) -> ResponsePredicate {
            .headers([HeaderMatch(name: HeaderName(":status"), test: .string(StringMatch(.exact(Array(code.utf8)))))])
        }
        let codes = ResponsePredicate.some([status("404"), status("429")])
        #expect(codes.matches(HTTPHead(status: 404)) && codes.matches(HTTPHead(status: 429)))
        #expect(!codes.matches(HTTPHead(status: 500)) && !codes.matches(HTTPHead(status: 40)))
        let range = ResponsePredicate.headers([HeaderMatch(name: HeaderName(":status"), test: .range(400, 500))])
        #expect(ResponsePredicate.not(range).matches(HTTPHead(status: 500)))
        let marked = ResponsePredicate.all([range, .headers([HeaderMatch(name: HeaderName("x-bad"), test: .present)])])
        #expect(!marked.matches(HTTPHead(status: 404)))
        #expect(marked.matches(HTTPHead(status: 404, fields: [("x-bad", "")])))
        #expect(ResponsePredicate.any.matches(HTTPHead(status: 200)))
    }

    @Test func `a host that leaves takes its ejection with it, and its place is given to another`() {
        var config = OutlierDetectionConfig()
        config.maxEjectionPercent = 50
        var detector = OutlierDetector(config: config, hostCount: 2)
        for _ in 0..<5 { _ = record(&detector, 500, host: 1) }
        #expect(detector.ejectedCount == 1)
        detector.remove(1)
        #expect(detector.ejectedCount == 0)
        let id = detector.insert()
        #expect(!detector.isEjected(id))
        for _ in 0..<5 { _ = record(&detector, 500, host: 0) }
        #expect(detector.isEjected(0))
        // Ids that were never given out do nothing.
        detector.remove(99)
        #expect(!record(&detector, 500, host: 99))
    }
}
