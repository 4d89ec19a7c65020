using System.Collections.Concurrent;
using System.Text;

namespace GrayMQ.Broker.Names;

public class Utf8NameComparerTests
{
    [Theory]
    [InlineData("")]
    [InlineData("TopicTest")]
    [InlineData("%RETRY%group-1")]
    [InlineData("主题")]
    [InlineData("mixed-主题-é")]
    public void AlternateLookup_SameName_Finds(string name)
    {
        var table = new ConcurrentDictionary<string, int>(Utf8NameComparer.Instance) { [name] = 7, [name + "2"] = 8 };

        Assert.True(table.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(Encoding.UTF8.GetBytes(name), out int found));
        Assert.Equal(7, found);
        Assert.Equal(7, table[name]);
    }

    [Theory]
    [InlineData("topictest")]
    [InlineData("TopicTes")]
    [InlineData("TopicTest ")]
    [InlineData("主")]
    public void AlternateLookup_OtherName_FindsNothing(string name)
    {
        var table = new ConcurrentDictionary<string, int>(Utf8NameComparer.Instance) { ["TopicTest"] = 7, ["主题"] = 8 };

        Assert.False(table.GetAlternateLookup<ReadOnlySpan<byte>>().ContainsKey(Encoding.UTF8.GetBytes(name)));
    }

    [Fact]
    public void Equals_MalformedBytes_EqualNoName()
    {
        Utf8NameComparer comparer = Utf8NameComparer.Instance;

        Assert.False(comparer.Equals([0xFF], "\uFFFD"));
        Assert.False(comparer.Equals([0xED, 0xA0, 0x80], "\uD800"));
        Assert.False(comparer.Equals("\uFFFD"u8, "\uD800"));
        Assert.True(comparer.Equals("\uFFFD"u8, "\uFFFD"));
    }

    [Fact]
    public void AlternateLookup_Repeated_AllocatesNothing()
    {
        var table = new ConcurrentDictionary<string, string>(Utf8NameComparer.Instance) { ["TopicTest"] = "found" };
        ConcurrentDictionary<string, string>.AlternateLookup<ReadOnlySpan<byte>> lookup =
            table.GetAlternateLookup<ReadOnlySpan<byte>>();
        bool all = lookup.TryGetValue("TopicTest"u8, out _);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            all &= lookup.TryGetValue("TopicTest"u8, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(all);
    }
}
