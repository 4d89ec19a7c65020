using System.Runtime.CompilerServices;
using GrayMQ.Filtering.Compilation;

namespace GrayMQ.Filtering.Tests;

public class ManyShapesTests
{
    [Fact]
    public void Compile_MoreShapesThanAreKept_StillMakesCode()
    {
        Assert.SkipUnless(RuntimeFeature.IsDynamicCodeCompiled, "nothing is made here");
        for (int shape = 0; shape <= PredicateCompiler.MaxShapes; shape++)
        {
            // Which of thirteen comparisons are for equality.
            string text = string.Join(
                " && ", Enumerable.Range(0, 13).Select(bit => (shape >> bit & 1) == 0 ? "a == 1" : "string.contains(a, 'x')"));
            FilterExpression filter = FilterExpression.Parse(FilterLanguage.Header, text);
            _ = PredicateCompiler.CompileShared(filter.Root, filter.PropertyNames);
        }

        FilterExpression last = FilterExpression.Parse(FilterLanguage.Header, "a == 1 || b == 'x' || a == 2 || b == 'y' || string.length(b) > 3");
        MessagePredicate predicate = PredicateCompiler.Compile(last.Root, last.PropertyNames);

        Assert.IsType<ShapeConstants>(predicate.Target);
        Assert.True(last.Matches(Messages.Of("b=long")));
    }
}
