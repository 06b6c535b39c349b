import Columnar
import Dataflow
import Expression

extension PlanBuilder {
    /// Walks from the sinks up and notes which fields of each source something reads.
    func findFieldsRead() {
        var needed = steps.map { _ in Set<Int>() }
        var read = sources.map { source -> Set<Int> in
            switch source.role {
            case .stream(let rule): [source.keyField, rule.field]
            case .table(let rule): [source.keyField, rule.timeField]
            }
        }
        func need(_ columns: some Sequence<Int>, of upstream: Upstream) {
            switch upstream {
            case .source(let index): read[index].formUnion(columns)
            case .step(let index): needed[index].formUnion(columns)
            }
        }
        for sink in sinks { need(width(sink.plan.input), of: sink.plan.input) }
        for rekey in rekeys { need(width(rekey.plan.input), of: rekey.plan.input) }
        for index in steps.indices.reversed() {
            let step = steps[index]
            switch step.operation {
            case .filter(let program), .otherwise(let program):
                need(needed[index], of: step.input)
                need(program.outputs.flatMap(\.columns), of: step.input)
            case .select(let program):
                need(program.outputs.flatMap(\.columns), of: step.input)
            case .lookup(let lookup):
                let table = lookup.table
                need((lookup.key?.outputs ?? []).flatMap(\.columns), of: step.input)
                let count = width(step.input).count
                need(needed[index].filter { $0 < count }, of: step.input)
                read[table].formUnion(needed[index].filter { $0 >= count }.map { $0 - count })
            case .rules(let rules):
                let count = width(step.input).count
                need(needed[index].filter { $0 < count }, of: step.input)
                need(rules.program.outputs.flatMap(\.columns), of: step.input)
            case .levels, .machine:
                // A change of level or state carries its row whole.
                need(width(step.input), of: step.input)
            case .distinct: need(needed[index], of: step.input)
            case .union(let union):
                for input in union.inputs {
                    need(needed[index].map { input.columns[$0] }, of: input.upstream)
                }
            // A rekeyed stream is written whole.
            case .rekey: need(width(step.input), of: step.input)
            case .window(let window):
                need(window.program.outputs.flatMap(\.columns), of: step.input)
            }
        }
        for index in sources.indices { sources[index].fieldsRead = read[index].sorted() }
    }

    private func width(_ upstream: Upstream) -> Range<Int> {
        switch upstream {
        case .source(let index): 0..<sources[index].rowSchema.fields.count
        case .step(let index): 0..<steps[index].output.fields.count
        }
    }
}
