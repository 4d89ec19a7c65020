namespace GrayMQ.Broker.Transactions;

public sealed class YoungHalvesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AddAndRemove_InAnyOrder_KeepsTheRest(int seed)
    {
        var random = new Random(seed);
        var young = new YoungHalves();
        var expected = new List<HalfMessage>();
        var topic = new HalfTopic("T");
        long next = 1;
        for (int step = 0; step < 5000; step++)
        {
            if (random.Next(100) < 52 - (step / 200))
            {
                var half = new HalfMessage(next * 10, next * 10, next, next, next, 0, topic);
                next += 1 + random.Next(3);
                Assert.True(young.Follows(in half));
                young.Add(in half);
                expected.Add(half);
            }
            else if (expected.Count > 0)
            {
                int at = random.Next(4) == 0 ? 0 : random.Next(expected.Count);
                Assert.True(young.TryFind(expected[at].Root, out HalfMessage found));
                Assert.Equal(expected[at], found);
                Assert.True(young.TryFindByQueueOffset(found.QueueOffset, out _));
                young.Remove(found.Root);
                young.Remove(found.Root);
                Assert.False(young.TryFind(found.Root, out _));
                Assert.False(young.TryFindByQueueOffset(found.QueueOffset, out _));
                expected.RemoveAt(at);
            }

            Assert.Equal(expected.Count, young.Count);
            Assert.Equal(expected.Count > 0, young.TryPeek(out HalfMessage oldest));
            Assert.Equal(expected.FirstOrDefault(), oldest);
        }

        Assert.Equal(expected, young.All());
        Assert.False(young.TryFind(-1, out _));
    }

    [Fact]
    public void Follows_NotBehindTheLast_IsFalse()
    {
        var young = new YoungHalves();
        var topic = new HalfTopic("T");
        young.Add(new HalfMessage(10, 10, 1, 0, 0, 0, topic));

        Assert.False(young.Follows(new HalfMessage(10, 10, 2, 0, 0, 0, topic)));
        Assert.False(young.Follows(new HalfMessage(20, 20, 1, 0, 0, 0, topic)));
        Assert.True(young.Follows(new HalfMessage(20, 20, 2, 0, 0, 0, topic)));
    }
}
