using System.Text;
using GrayMQ.Filtering.Evaluation;
using GrayMQ.Filtering.Indexes;
using GrayMQ.Filtering.Tests.Generators;

namespace GrayMQ.Filtering.Tests.Indexes;

public class FilterIndexTests
{
    private const int Rounds = 20;
    private const int MessagesEach = 40;

    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(400)]
    public void Match_RandomSubscriptions_FindsExactlyThoseThatMatch(int count)
    {
        for (int seed = 0; seed < Rounds; seed++)
        {
            var random = new Random(seed);
            Dictionary<int, FilterExpression> subscriptions = Subscriptions(random, count);
            FilterIndex index = FilterIndex.Build(subscriptions);
            CheckAnswers(random, index, subscriptions, seed);
        }
    }

    [Fact]
    public void WithAndWithout_RandomChanges_AnswerAsIfBuiltAnew()
    {
        for (int seed = 0; seed < Rounds; seed++)
        {
            var random = new Random(seed);
            Dictionary<int, FilterExpression> subscriptions = Subscriptions(random, 100);
            FilterIndex index = FilterIndex.Build(subscriptions);
            for (int change = 0; change < 100; change++)
            {
                int id = random.Next(140);
                if (random.Next(2) == 0)
                {
                    subscriptions.Remove(id);
                    index = index.Without(id);
                }
                else
                {
                    subscriptions[id] = Subscription(random);
                    index = index.With(id, subscriptions[id]);
                }
            }

            Assert.Equal(subscriptions.Count, index.Count);
            CheckAnswers(random, index, subscriptions, seed);
            foreach (int id in subscriptions.Keys)
            {
                index = index.Without(id);
            }

            Assert.True(index.Root.IsEmpty && index.Root.IsLeaf, $"seed {seed}: something was left behind");
        }
    }

    [Fact]
    public void With_OldVersion_StillAnswersWithoutTheChange()
    {
        FilterExpression expression = FilterExpression.Parse(FilterLanguage.Header, "MessageType == 'A'");
        FilterIndex before = FilterIndex.Create();
        FilterIndex after = before.With(7, expression);
        var matches = new MatchSet();

        before.Match(Messages.Of("MessageType=A"), matches);
        Assert.Equal(0, matches.Count);
        after.Match(Messages.Of("MessageType=A"), matches);
        Assert.True(matches.Contains(7));
        after.Without(7).Match(Messages.Of("MessageType=A"), matches);
        Assert.Equal(0, matches.Count);
    }

    [Fact]
    public void Match_ManySubscriptionsOfOtherTypes_LooksAtNoneOfThem()
    {
        FilterIndex index = FilterIndex.Build(Enumerable.Range(0, 5000).ToDictionary(
            id => id,
            id => FilterExpression.Parse(FilterLanguage.Header, $"MessageType == 'type-{id % 1000}' && buyerId == {id} && price > {id % 7}")));
        var matches = new MatchSet();

        index.Match(Messages.Of("MessageType=type-3;buyerId=2003;price=10"), matches);

        Assert.Equal([2003], Ids(matches));
        Assert.InRange(matches.LookUps + matches.Evaluations, 1, 20);
    }

    [Fact]
    public void Match_Ranges_AreSearched()
    {
        FilterIndex index = FilterIndex.Build(Enumerable.Range(0, 1000).ToDictionary(
            id => id, id => FilterExpression.Parse(FilterLanguage.Header, $"price >= {id * 10} && price < {(id * 10) + 10}")));
        var matches = new MatchSet();

        index.Match(Messages.Of("price=4567.5"), matches);

        Assert.Equal([456], Ids(matches));
        Assert.InRange(matches.LookUps + matches.Evaluations, 1, 3);
    }

    [Fact]
    public void Match_Repeated_AllocatesNothing()
    {
        var random = new Random(1);
        FilterIndex index = FilterIndex.Build(Enumerable.Range(0, 500).ToDictionary(
            id => id,
            id => FilterExpression.Parse(FilterLanguage.Sql92, $"MessageType = 'T{id % 50}' AND (a > {random.Next(10)} OR b IN ('x', 'y'))")));
        byte[] message = Messages.Of("MessageType=T3;a=5;b=x;KEYS=k;TAGS=t");
        var matches = new MatchSet();
        index.Match(message, matches);
        Assert.True(matches.Count > 0);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            index.Match(message, matches);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Match_AfterAChangeBehindATable_DoesNotWriteOutAnewWhatNoTableHas()
    {
        const int Count = 2000;
        FilterIndex index = FilterIndex.Build(Enumerable.Range(0, Count).Select(id => KeyValuePair.Create(
            id, FilterExpression.Parse(FilterLanguage.Header, $"price != {id}"))));
        byte[] message = Messages.Of("MessageType=A;price=7");
        var matches = new MatchSet();
        index.Match(message, matches);
        index = index.With(Count, FilterExpression.Parse(FilterLanguage.Header, "MessageType == 'A'"));

        long before = GC.GetAllocatedBytesForCurrentThread();
        index.Match(message, matches);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        // Each of them takes 16 bytes at least.
        Assert.InRange(allocated, 0, 8 * Count);
        Assert.Equal(Count, matches.Count);
        Assert.False(matches.Contains(7));
        Assert.True(matches.Contains(Count));
    }

    [Fact]
    public void Match_ConditionThatManyShare_EvaluatesItOnce()
    {
        FilterIndex index = FilterIndex.Build(Enumerable.Range(0, 500).Select(id => KeyValuePair.Create(
            id, FilterExpression.Parse(FilterLanguage.Header, $"shop == 's{id % 50}' && amount > {id} && region != 'eu'"))));
        var matches = new MatchSet();

        index.Match(Messages.Of("shop=s7;amount=1000;region=us"), matches);
        Assert.Equal((10, 1), (matches.Count, matches.Evaluations));

        // What held for the message before says nothing of the next one.
        index.Match(Messages.Of("shop=s7;amount=1000;region=eu"), matches);
        Assert.Equal((0, 1), (matches.Count, matches.Evaluations));
    }

    [Fact]
    public void With_TwoVersionsOfOneThatNameOtherProperties_EachAnswersForItself()
    {
        FilterIndex common = FilterIndex.Create().With(0, FilterExpression.Parse(FilterLanguage.Header, "shop != 'x'"));
        FilterIndex one = common.With(1, FilterExpression.Parse(FilterLanguage.Header, "colour != 'red'"));
        FilterIndex other = common.With(1, FilterExpression.Parse(FilterLanguage.Header, "size != 'red'"));
        byte[] message = Messages.Of("shop=y;colour=red;size=big");
        var matches = new MatchSet();

        one.Match(message, matches);
        Assert.Equal([0], Ids(matches));
        other.Match(message, matches);
        Assert.Equal([0, 1], Ids(matches));
        common.Match(message, matches);
        Assert.Equal([0], Ids(matches));
    }

    [Fact]
    public void With_ThousandsOfChanges_SaysThatBuildingAnewIsWorthIt()
    {
        FilterIndex index = FilterIndex.Build([KeyValuePair.Create(0, FilterExpression.Parse(FilterLanguage.Header, "amount > 1"))]);
        int changes = 0;
        for (; !index.IsOutgrown && changes < 10_000; changes++)
        {
            index = index.With(1, FilterExpression.Parse(FilterLanguage.Header, $"amount > {changes}"));
        }

        Assert.InRange(changes, 1000, 9999);
        Assert.False(FilterIndex.Build([KeyValuePair.Create(1, index.Find(1)!)]).IsOutgrown);
    }

    [Fact]
    public void With_IdOutOfRange_IsRefused()
    {
        FilterExpression expression = FilterExpression.Parse(FilterLanguage.Header, "a == 1");

        Assert.Throws<ArgumentOutOfRangeException>(() => FilterIndex.Create().With(-1, expression));
        Assert.Throws<ArgumentOutOfRangeException>(() => FilterIndex.Create().With(FilterIndexOptions.MaxId + 1, expression));
    }

    private static void CheckAnswers(Random random, FilterIndex index, Dictionary<int, FilterExpression> subscriptions, int seed)
    {
        var matches = new MatchSet();
        for (int i = 0; i < MessagesEach; i++)
        {
            byte[] message = ExpressionGenerator.Message(random);
            index.Match(message, matches);
            foreach ((int id, FilterExpression expression) in subscriptions)
            {
                Assert.True(
                    matches.Contains(id) == TreeEvaluator.Matches(expression.Root, message),
                    $"seed {seed}: {expression} on {Encoding.UTF8.GetString(message)}");
            }

            Assert.Equal(Ids(matches).Count, matches.Count);
            Assert.All(Ids(matches), id => Assert.True(subscriptions.ContainsKey(id)));
        }
    }

    private static List<int> Ids(MatchSet matches)
    {
        List<int> ids = [];
        foreach (int id in matches)
        {
            ids.Add(id);
        }

        return ids;
    }

    private static Dictionary<int, FilterExpression> Subscriptions(Random random, int count) =>
        Enumerable.Range(0, count).ToDictionary(id => id, _ => Subscription(random));

    private static FilterExpression Subscription(Random random)
    {
        FilterLanguage language = random.Next(2) == 0 ? FilterLanguage.Sql92 : FilterLanguage.Header;
        return FilterExpression.Parse(language, new ExpressionGenerator(random, language).Next());
    }
}
