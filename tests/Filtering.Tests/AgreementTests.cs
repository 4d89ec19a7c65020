using GrayMQ.Filtering.Compilation;
using GrayMQ.Filtering.Evaluation;
using GrayMQ.Filtering.Properties;
using GrayMQ.Filtering.Tests.Generators;

namespace GrayMQ.Filtering.Tests;

/// <summary>Random expressions and messages: every way to evaluate says the same as walking the tree. A failure names its seed.</summary>
public class AgreementTests
{
    private const int Expressions = 2000;
    private const int MessagesEach = 20;

    [Theory]
    [InlineData(FilterLanguage.Sql92)]
    [InlineData(FilterLanguage.Header)]
    public void Compiled_RandomExpressions_AgreeWithTheTree(FilterLanguage language)
    {
        int matched = 0;
        for (int seed = 0; seed < Expressions; seed++)
        {
            var random = new Random(seed);
            FilterExpression expression = FilterExpression.Parse(language, new ExpressionGenerator(random, language).Next());
            MessagePredicate closure = PredicateCompiler.CompileClosure(expression.Root, expression.PropertyNames);
            for (int i = 0; i < MessagesEach; i++)
            {
                byte[] message = ExpressionGenerator.Message(random);
                bool expected = TreeEvaluator.Matches(expression.Root, message);
                matched += expected ? 1 : 0;
                Assert.True(expression.Matches(message) == expected, $"compiled, seed {seed}: {expression}");
                Assert.True(Ask(closure, expression, message) == expected, $"closure, seed {seed}: {expression}");
            }
        }

        Assert.InRange(matched, Expressions * MessagesEach / 10, Expressions * MessagesEach * 9 / 10);
    }

    private static bool Ask(MessagePredicate predicate, FilterExpression expression, byte[] message)
    {
        var reader = new PropertyReader(message, expression.PropertyNames, new PropertySlot[expression.PropertyNames.Count]);
        reader.ResolveAll();
        return predicate(ref reader);
    }
}
