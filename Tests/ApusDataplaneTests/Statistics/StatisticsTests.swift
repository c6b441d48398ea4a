import ApusCore
import ApusDataplane
import ApusTraffic
import Testing

@Suite struct HistogramTests {
    @Test func `a value lies in the middle of its bin when it is alone there`() {
        var histogram = Histogram()
        histogram.record(7)
        #expect(histogram.quantile(0) == 7.05)
        #expect(histogram.quantile(1) == 7.05)
    }

    @Test func `values that share a bin are spread over it`() {
        var histogram = Histogram()
        for _ in 0..<10 { histogram.record(1) }
        #expect(abs((histogram.quantile(0.5) ?? 0) - (1 + 0.1 * 5 / 11)) < 1e-9)
        #expect(abs((histogram.quantile(0.25) ?? 0) - (1 + 0.1 * 3 / 11)) < 1e-9)
    }

    @Test func `a bucket counts what is at most its limit`() {
        var histogram = Histogram()
        for value in [0, 1, 5, 6, 250, 1050, 90_000] as [Int64] { histogram.record(value) }
        #expect(histogram.count(upTo: 0.5) == 1)
        #expect(histogram.count(upTo: 1) == 2)
        #expect(histogram.count(upTo: 5) == 3)
        #expect(histogram.count(upTo: 250) == 5)
        #expect(histogram.count(upTo: 2500) == 6)
        #expect(histogram.count(upTo: 3_600_000) == 7)
        #expect(histogram.sum == 91_312)
    }

    @Test func `a value of any size has a bin`() {
        var histogram = Histogram()
        for value in [Int64.min, -1, .max] { histogram.record(value) }
        #expect(histogram.count == 3)
        #expect(histogram.count(upTo: 0) == 2)
    }

    @Test func `the sum of two holds the values of both`() {
        var left = Histogram()
        var right = Histogram()
        left.record(3)
        right.record(3)
        right.record(400)
        left.add(right)
        #expect(left.count == 3)
        #expect(left.sum == 406)
        #expect(left.count(upTo: 10) == 2)
    }

    @Test func `nothing recorded has no quantile`() { #expect(Histogram().quantile(0.5) == nil) }
}

@Suite struct StatisticsTableTests {
    @Test func `adding adds every kind of number`() {
        var left = ClusterStats()
        var right = ClusterStats()
        left.requestsTotal = 2
        right.requestsTotal = 3
        right.connectionsActive = -1
        right.connectTime.record(5)
        right.countAnswer(503, isInternal: false)
        left.countAnswer(503, isInternal: false)
        left.add(right)
        #expect(left.requestsTotal == 5)
        #expect(left.connectionsActive == -1)
        #expect(left.connectTime.count == 1)
        #expect(left.external.byClass.5 == 2)
        #expect(left.external.byCode.map(\.count) == [2])
    }

    @Test func `a reset spares gauges and histograms`() {
        var stats = HTTPStats()
        stats.requestsTotal = 4
        stats.requestsActive = 2
        stats.requestTime.record(9)
        stats.answers.countClass(200)
        stats.resetCounters()
        #expect(stats.requestsTotal == 0)
        #expect(stats.requestsActive == 2)
        #expect(stats.requestTime.count == 1)
        #expect(stats.answers.completed == 0)
    }

    @Test func `an answer without a class is counted as completed`() {
        var counts = ResponseCounts()
        counts.count(999)
        counts.count(70_000)
        #expect(counts.completed == 2)
        #expect(counts.byClass.0 == 2)
        #expect(counts.byCode.map(\.code) == [999])
    }
}

@Suite struct StatsTextTests {
    private func text(_ statistics: WorkerStatistics) -> StatsText {
        StatsText(
            statistics, configuration: .empty, server: ServerFacts(state: .live, uptime: 7, concurrency: 2))
    }

    private func query(_ filter: String) throws -> StatsQuery {
        var query = StatsQuery()
        query.filter = try NameFilter(filter)
        return query
    }

    @Test func `a class of answers becomes a label`() throws {
        var statistics = WorkerStatistics()
        var stats = HTTPStats()
        stats.answers.countClass(204)
        statistics.http["in.gress"] = stats
        let text = text(statistics)
        #expect(try text.plain(query("downstream_rq_2xx")) == "http.in.gress.downstream_rq_2xx: 1\n")
        #expect(
            try text.prometheus(query("downstream_rq_2xx"))
                == """
                # TYPE envoy_http_downstream_rq_xx counter
                envoy_http_downstream_rq_xx{envoy_response_code_class="2",envoy_http_conn_manager_prefix="in.gress"} 1

                """)
    }

    @Test func `answers in all are those from inside and outside together`() throws {
        var statistics = WorkerStatistics()
        var stats = ClusterStats()
        stats.countAnswer(200, isInternal: true)
        stats.countAnswer(200, isInternal: false)
        statistics.clusters["a:b"] = stats
        #expect(
            try text(statistics).plain(query("upstream_rq_200"))
                == """
                cluster.a_b.external.upstream_rq_200: 1
                cluster.a_b.internal.upstream_rq_200: 1
                cluster.a_b.upstream_rq_200: 2

                """)
        #expect(
            try text(statistics).prometheus(query("^cluster.a_b.upstream_rq_200"))
                == """
                # TYPE envoy_cluster_upstream_rq counter
                envoy_cluster_upstream_rq{envoy_response_code="200",envoy_cluster_name="a_b"} 2

                """)
    }

    @Test func `answers that were never given have no names`() throws {
        var statistics = WorkerStatistics()
        statistics.clusters["c"] = ClusterStats()
        #expect(try text(statistics).plain(query("upstream_rq_(completed|5xx)")) == "")
    }

    @Test func `a histogram has buckets, a sum and a count`() throws {
        var statistics = WorkerStatistics()
        var stats = HTTPStats()
        stats.requestTime.record(30)
        stats.requestTime.record(2)
        statistics.http["web"] = stats
        let page = try text(statistics).prometheus(query("rq_time$"))
        #expect(page.hasPrefix("# TYPE envoy_http_downstream_rq_time histogram\n"))
        #expect(
            page.contains("envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix=\"web\",le=\"25\"} 1\n"))
        #expect(
            page.contains("envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix=\"web\",le=\"50\"} 2\n"))
        #expect(
            page.contains(
                "envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix=\"web\",le=\"3600000\"} 2\n"))
        #expect(page.contains("envoy_http_downstream_rq_time_sum{envoy_http_conn_manager_prefix=\"web\"} 32\n"))
        #expect(page.hasSuffix("envoy_http_downstream_rq_time_count{envoy_http_conn_manager_prefix=\"web\"} 2\n"))
    }

    @Test func `only what was used is shown if only that is wanted`() {
        var statistics = WorkerStatistics()
        var stats = TCPStats()
        stats.connectionsTotal = 1
        statistics.tcp["raw"] = stats
        var query = StatsQuery()
        query.onlyUsed = true
        query.kinds = [.counter]
        #expect(text(statistics).plain(query) == "tcp.raw.downstream_cx_total: 1\n")
    }

    @Test func `a filter's own numbers carry the labels of their owner`() throws {
        var statistics = WorkerStatistics()
        statistics.http["a.b"] = HTTPStats()
        var own = TCPStats()
        own.noRoute = 3
        statistics.scopes["http.a.b.rbac"] = own
        let page = try text(statistics).prometheus(query("rbac.downstream_cx_no_route"))
        #expect(page.contains("envoy_http_rbac_downstream_cx_no_route{envoy_http_conn_manager_prefix=\"a.b\"} 3"))
    }

    @Test func `a filter that is no expression is refused`() {
        #expect(throws: NameFilter.InvalidPattern.self) { try NameFilter("a(") }
        #expect(throws: NameFilter.InvalidPattern.self) { try NameFilter("a)(b") }
    }

    @Test func `text in a label is escaped`() throws {
        var statistics = WorkerStatistics()
        statistics.clusters["a\"\\\n"] = ClusterStats()
        let page = try text(statistics).prometheus(query("upstream_cx_total"))
        #expect(page.contains("{envoy_cluster_name=\"a\\\"\\\\\\n\"} 0"))
    }
}
