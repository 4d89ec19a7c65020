using GrayMQ.Filtering.Indexes;

namespace GrayMQ.Filtering.Tests.Indexes;

public class CompactSetTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(3000)]
    [InlineData(50_000)]
    public void Write_RandomSets_ContainWhatWasAdded(int count)
    {
        const int Limit = 60_000;
        var random = new Random(count);
        var matches = new MatchSet();
        matches.Reserve(Limit);
        HashSet<int> ids = [];
        while (ids.Count < count)
        {
            int id = random.Next(Limit);
            ids.Add(id);
            matches.Add(id);
            matches.Add(id);
        }

        byte[] bytes = new byte[CompactSet.MaxBytes(Limit)];
        int length = CompactSet.Write(matches, bytes);

        Assert.Equal(count, matches.Count);
        List<int> walked = [];
        foreach (int id in matches)
        {
            walked.Add(id);
        }

        Assert.Equal(ids.Order(), walked);
        for (int id = 0; id < Limit; id++)
        {
            Assert.True(CompactSet.Contains(bytes.AsSpan(0, length), id) == ids.Contains(id), $"{id} of {count}");
        }

        Assert.InRange(length, 1, Math.Min(1 + (3 * Math.Max(1, count)), bytes.Length));
        matches.Clear();
        Assert.Equal(0, matches.Count);
        Assert.Equal(1, CompactSet.Write(matches, bytes));
    }

    [Theory]
    [InlineData("")]
    [InlineData("07")]
    [InlineData("01")]
    [InlineData("01FFFFFFFFFF")]
    [InlineData("02")]
    [InlineData("02FFFFFFFF0F01")]
    [InlineData("0200010203")]
    public void Contains_BytesThatAreNoAnswer_ContainNothing(string hex)
    {
        byte[] bytes = Convert.FromHexString(hex);

        Assert.All([0, 1, 63, 64, int.MaxValue], id => Assert.False(CompactSet.Contains(bytes, id)));
        Assert.False(CompactSet.Contains(bytes, -1));
    }
}
