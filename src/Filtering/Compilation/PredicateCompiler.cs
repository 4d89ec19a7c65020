using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Compilation;

/// <summary>
/// Makes predicates of expressions: machine code where code can be made at run time, closures elsewhere. Code belongs to a shape and is
/// shared by all expressions that differ in nothing but properties and literals, because making it takes a good part of a millisecond.
/// </summary>
public static class PredicateCompiler
{
    /// <summary>
    /// Shapes that are kept. Before there are more, all are forgotten: the code of those in use stays for as long as it is, and what comes
    /// later is not worse off for what there was once.
    /// </summary>
    public const int MaxShapes = 4096;

    // A shape that only one expression has is not worth its code, unless that is asked for.
    private const int WorthwhileRequests = 2;

    private static readonly ConcurrentDictionary<string, Shape> Shapes = new(StringComparer.Ordinal);

    /// <summary>The fastest predicate there is, whatever making it costs.</summary>
    /// <param name="expression">What to compile.</param>
    /// <param name="names">Has every property of the expression.</param>
    public static MessagePredicate Compile(TruthExpression expression, PropertyNames names) => Compile(expression, names, 1);

    /// <summary>A predicate that is made quickly: shares code that is there or worth making, and is a closure otherwise.</summary>
    public static MessagePredicate CompileShared(TruthExpression expression, PropertyNames names) =>
        Compile(expression, names, WorthwhileRequests);

    /// <summary>A predicate that needs no code to be made at run time.</summary>
    public static MessagePredicate CompileClosure(TruthExpression expression, PropertyNames names) =>
        ClosureCompiler.Compile(expression, names);

    private static MessagePredicate Compile(TruthExpression expression, PropertyNames names, int worthwhileRequests)
    {
        if (!RuntimeFeature.IsDynamicCodeCompiled)
        {
            return ClosureCompiler.Compile(expression, names);
        }

        (string code, ShapeConstants constants) = ShapeWriter.Write(expression, names);
        if (!Shapes.TryGetValue(code, out Shape? shape))
        {
            if (Shapes.Count >= MaxShapes)
            {
                Shapes.Clear();
            }

            shape = Shapes.GetOrAdd(code, static code => new Shape(code));
        }

        return shape.Bind(constants, worthwhileRequests) ?? ClosureCompiler.Compile(expression, names);
    }

    private sealed class Shape(string code)
    {
        private DynamicMethod? _method;
        private int _requests;

        [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Asked for only where dynamic code is compiled.")]
        public MessagePredicate? Bind(ShapeConstants constants, int worthwhileRequests)
        {
            if (_method is null)
            {
                if (Interlocked.Increment(ref _requests) < worthwhileRequests)
                {
                    return null;
                }

                lock (this)
                {
                    _method ??= ShapeCompiler.Compile(code);
                }
            }

            return _method.CreateDelegate<MessagePredicate>(constants);
        }
    }
}
