using System.Text;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Tests.Properties;

public class PropertyReaderTests
{
    // ␁ and ␂ stand for the separators.
    [Theory]
    [InlineData("a␁1␂b␁2␂", "a", "1")]
    [InlineData("a␁1␂b␁2", "b", "2")]
    [InlineData("a␁1␂a␁2␂", "a", "2")]
    [InlineData("a␁1␂a␁␂", "a", "1")]
    [InlineData("aa␁1␂a␁2␂", "aa", "1")]
    [InlineData("b␁a␁1␂", "a", null)]
    [InlineData("b␁a␁1␂", "b", "a␁1")]
    [InlineData("a␂a␁1␂", "a", "1")]
    [InlineData("␁x␂a␁1␂", "a", "1")]
    [InlineData("ba␁1␂", "a", null)]
    [InlineData("a", "a", null)]
    [InlineData("", "a", null)]
    public void Get_OneByOneOrAllAtOnce_FindsTheSame(string stored, string name, string? expected)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(stored.Replace('␁', '\u0001').Replace('␂', '\u0002'));
        PropertyNames names = PropertyNames.None.With(["other", name]);
        int slot = names.Find(name);

        var lazy = new PropertyReader(bytes, names, new PropertySlot[names.Count]);
        var all = new PropertyReader(bytes, names, new PropertySlot[names.Count]);
        all.ResolveAll();

        Assert.Equal(expected, Text(lazy.Get(slot)));
        Assert.Equal(expected, Text(lazy.Get(slot)));
        Assert.Equal(expected, Text(all.Get(slot)));
        Assert.Null(Text(all.Get(names.Find("other"))));
    }

    private static string? Text(TextValue value) =>
        value.IsPresent ? Encoding.UTF8.GetString(value.Utf8).Replace('\u0001', '␁') : null;
}
