using System.Text;

namespace GrayMQ.Settings.Tests;

public sealed class SettingsFileTests
{
    [Theory]
    [InlineData("a=b", "a", "b")]
    [InlineData("a:b", "a", "b")]
    [InlineData("a b", "a", "b")]
    [InlineData("a\tb", "a", "b")]
    [InlineData("a \t = \f b", "a", "b")]
    [InlineData("  a=b", "a", "b")]
    [InlineData("a=b=c:d", "a", "b=c:d")]
    [InlineData("a==b", "a", "=b")]
    [InlineData("a = :b", "a", ":b")]
    [InlineData("a", "a", "")]
    [InlineData("a=", "a", "")]
    [InlineData("a=b ", "a", "b ")]
    [InlineData("a=# no comment", "a", "# no comment")]
    [InlineData(@"a\=b\:c\ d=e", "a=b:c d", "e")]
    [InlineData(@"\#a=b", "#a", "b")]
    [InlineData(@"a=\ttab\nline\q", "a", "\ttab\nlineq")]
    [InlineData(@"a=C:\\store", "a", @"C:\store")]
    [InlineData(@"a=\u4f60\u00FCx", "a", "你üx")]
    [InlineData(@"\u0061=b", "a", "b")]
    [InlineData("a=b\\\n   c", "a", "bc")]
    [InlineData("a=b\\\r\n\tc\\\r\n d", "a", "bcd")]
    [InlineData("a=b\\\n#c", "a", "b#c")]
    [InlineData("a=b\\", "a", "b")]
    [InlineData("a=b\\\\", "a", "b\\")]
    [InlineData("\\\na=b", "a", "b")]
    public void Parse_OneEntry_IsReadAsJavaReadsIt(string text, string key, string value)
    {
        SettingsFile file = SettingsFile.Parse("broker.conf", text);

        Assert.Empty(file.Problems);
        SettingsFileEntry entry = Assert.Single(file.Entries);
        Assert.Equal((key, value), (entry.Key, entry.Value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\r\n  \t\n")]
    [InlineData("# a=b")]
    [InlineData("  ! a=b")]
    [InlineData("# a comment is not continued \\\n#a=b")]
    public void Parse_BlankLinesAndComments_HoldNoEntries(string text)
    {
        SettingsFile file = SettingsFile.Parse("broker.conf", text);

        Assert.Empty(file.Entries);
        Assert.Empty(file.Problems);
    }

    [Fact]
    public void Parse_ManyLines_CountsThem()
    {
        SettingsFile file = SettingsFile.Parse("broker.conf", "# first\r\na=1\r\rb=2\\\n  3\n\nc=4");

        Assert.Equal(
            [("a", "1", 2, 2), ("b", "23", 4, 5), ("c", "4", 7, 7)],
            file.Entries.Select(entry => (entry.Key, entry.Value, entry.Line, entry.LastLine)));
    }

    [Theory]
    [InlineData("a=1\nb=\\u12G4\nc=3", "broker.conf:2: expected four hexadecimal digits after \\u")]
    [InlineData("a=1\nb=\\u12\nc=3", "broker.conf:2: expected four hexadecimal digits after \\u")]
    [InlineData("a=1\n= 2\nc=3", "broker.conf:2: expected a key before the separator")]
    [InlineData("a=1\nb=\0\nc=3", "broker.conf:2: expected text, found a NUL character")]
    public void Parse_LineThatCannotBeRead_NamesItAndReadsTheOthers(string text, string problem)
    {
        SettingsFile file = SettingsFile.Parse("broker.conf", text);

        Assert.Equal(problem, Assert.Single(file.Problems).ToString());
        Assert.Equal(["a", "c"], file.Entries.Select(entry => entry.Key));
    }

    [Fact]
    public void Read_Utf8WithByteOrderMark_IsReadAsUtf8()
    {
        using var folder = new TempFolder();
        string path = folder.Write("broker.conf", [0xEF, 0xBB, 0xBF, .. "brokerName=货"u8]);

        SettingsFileEntry entry = Assert.Single(SettingsFile.Read(path).Entries);

        Assert.Equal(("brokerName", "货"), (entry.Key, entry.Value));
    }

    [Fact]
    public void Read_BytesThatAreNoUtf8_AreReadAsLatin1()
    {
        using var folder = new TempFolder();
        string path = folder.Write("broker.conf", Encoding.Latin1.GetBytes("brokerName=Zürich"));

        Assert.Equal("Zürich", Assert.Single(SettingsFile.Read(path).Entries).Value);
    }

    [Fact]
    public void Read_NoSuchFile_IsAProblemThatNamesThePath()
    {
        using var folder = new TempFolder();
        string path = folder.PathOf("missing.conf");

        SettingsFile file = SettingsFile.Read(path);

        Assert.Equal($"{path}: cannot read: there is no such file", Assert.Single(file.Problems).ToString());
    }

    [Fact]
    public void Read_FolderOrHugeFile_IsAProblemThatNamesThePath()
    {
        using var folder = new TempFolder();
        string huge = folder.Write("huge.conf", new byte[SettingsFile.MaxFileBytes + 1]);

        Assert.Contains("larger than", Assert.Single(SettingsFile.Read(huge).Problems).ToString(), StringComparison.Ordinal);
        Assert.StartsWith(
            $"{Path.GetDirectoryName(huge)}: cannot read: ",
            Assert.Single(SettingsFile.Read(Path.GetDirectoryName(huge)!).Problems).ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void WithChanges_KnownAndNewKeys_KeepsWhatAPersonWrote()
    {
        SettingsFile file = SettingsFile.Parse(
            "broker.conf", "# ours\r\n listenPort : 10911\nnamesrvAddr=a:1;\\\n  b:2\n\nlistenPort=10912\n# end");

        SettingsFile changed = file.WithChanges(
        [
            new("listenPort", "10921"),
            new("namesrvAddr", "c:3"),
            new("brokerName", "ü\\ "),
        ]);

        Assert.Equal(
            "# ours\n listenPort : 10911\nnamesrvAddr=c:3\n\nlistenPort=10921\n# end\nbrokerName=\\u00FC\\\\ \n",
            changed.Text);
        Assert.Equal("ü\\ ", changed.Entries[^1].Value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a=1")]
    [InlineData("a=1\\")]
    [InlineData("a=1\\\\")]
    [InlineData("# comment\\")]
    public void WithChanges_AnyKeyAndValue_ReadsBackTheSame(string before)
    {
        KeyValuePair<string, string>[] changes = [new(" k=e:y #", " v\t=\\\n\0x你 ".Replace("\0", "", StringComparison.Ordinal))];

        SettingsFile changed = SettingsFile.Parse("broker.conf", before).WithChanges(changes);

        Assert.Empty(changed.Problems);
        Assert.Equal((changes[0].Key, changes[0].Value), (changed.Entries[^1].Key, changed.Entries[^1].Value));
        Assert.Equal(before.StartsWith('a') ? 2 : 1, changed.Entries.Count);
    }

    [Fact]
    public void Save_ChangedFile_IsWhatIsReadNext()
    {
        using var folder = new TempFolder();
        string path = folder.Write("broker.conf", "# 注\nlistenPort=1\n");

        SettingsFile.Read(path).WithChanges([new("listenPort", "2")]).Save();

        Assert.Equal("# 注\nlistenPort=2\n", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(Path.GetDirectoryName(path)!));
    }
}
