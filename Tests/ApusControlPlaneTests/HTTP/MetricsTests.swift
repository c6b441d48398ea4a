import ApusControlPlane
import ApusCore
import ApusMesh
import Testing

struct MetricsTests {
    private let metrics = Metrics()

    private func value(_ name: String) -> String? {
        metrics.text().split(separator: "\n").first { $0.hasPrefix(name + " ") }.map {
            String($0.dropFirst(name.count + 1))
        }
    }

    @Test func everyLineIsACommentOrANameWithANumber() throws {
        metrics.observe(.pushTime, .milliseconds(2))
        metrics.pushed(.cluster, resources: 3, bytes: 100)
        metrics.count(ChangeSet(endpointServices: []))
        let text = metrics.text()
        #expect(text.hasSuffix("\n"))
        for line in text.split(separator: "\n") where !line.hasPrefix("# TYPE ") {
            let parts = line.split(separator: " ")
            try #require(parts.count == 2, "\(line)")
            #expect(Double(parts[1]) != nil, "\(line)")
            #expect(parts[0].allSatisfy { $0.isLetter || $0.isNumber || "_{}=\"+.".contains($0) }, "\(line)")
        }
    }

    @Test func countersAddUpAndGaugesAreSet() {
        metrics.add(.inboundUpdates, 3)
        metrics.add(.inboundUpdates)
        metrics.set(.connectedStreams, 7)
        metrics.set(.connectedStreams, 5)
        metrics.rejected(.route)
        metrics.pushed(.endpoints, resources: 2, bytes: 50)
        metrics.pushed(.endpoints, resources: 1, bytes: 5)
        #expect(value("pilot_inbound_updates") == "4")
        #expect(value("pilot_xds") == "5")
        #expect(value("pilot_total_xds_rejects") == "1")
        #expect(value("apus_xds_rejects{type=\"rds\"}") == "1")
        #expect(value("pilot_xds_pushes{type=\"eds\"}") == "2")
        #expect(value("apus_xds_pushed_resources{type=\"eds\"}") == "3")
        #expect(value("apus_xds_pushed_bytes{type=\"eds\"}") == "55")
        #expect(value("pilot_xds_pushes{type=\"cds\"}") == "0")
    }

    @Test func bucketsAreCumulativeAndHoldTheirBound() {
        for milliseconds in [1, 2, 30, 99_000] { metrics.observe(.convergenceTime, .milliseconds(milliseconds)) }
        let name = "pilot_proxy_convergence_time"
        #expect(value("\(name)_bucket{le=\"0.001\"}") == "1")
        #expect(value("\(name)_bucket{le=\"0.003\"}") == "2")
        #expect(value("\(name)_bucket{le=\"0.03\"}") == "3")
        #expect(value("\(name)_bucket{le=\"30.0\"}") == "3")
        #expect(value("\(name)_bucket{le=\"+Inf\"}") == "4")
        #expect(value("\(name)_count") == "4")
        #expect(value("\(name)_sum").flatMap(Double.init).map { abs($0 - 99.033) < 0.0001 } == true)
    }
}
