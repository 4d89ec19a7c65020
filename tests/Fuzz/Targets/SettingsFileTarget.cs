using System.Text;
using GrayMQ.Settings;

namespace GrayMQ.Fuzz.Targets;

/// <summary>A settings file as text: read, changed, and read again.</summary>
internal sealed class SettingsFileTarget : FuzzTarget
{
    private const string Changed = "changedKey";
    private const string Value = " a value: with = \\ signs\tand \u00e4\n";

    public override string Name => "settings-file";

    public override IReadOnlyList<byte[]> Tokens { get; } =
        [.. new[] { "\\", "\\\n", "\\u00e4", "\\u", "=", ":", "#", "!", "\r\n", "\f", " ", "changedKey=1\n", "brokerName" }.Select(Encoding.UTF8.GetBytes)];

    private static readonly string[] Files =
    [
        "",
        "# a comment\nbrokerClusterName = DefaultCluster\nbrokerName=broker-a\nbrokerId=0\ndeleteWhen=04\nflushDiskType=ASYNC_FLUSH\n",
        "a : b\\\n   c\n! another\nkey\\ with\\ blank=1\nlist=1;2;3\n\n",
        "namesrvAddr=127.0.0.1:9876;127.0.0.2:9876\r\nstorePathRootDir=/data\\u002fstore\r\n",
    ];

    public override IEnumerable<byte[]> Seeds() => Files.Select(Encoding.UTF8.GetBytes);

    public override bool Run(byte[] input)
    {
        SettingsFile file = SettingsFile.Parse("fuzz.conf", Encoding.UTF8.GetString(input));
        foreach (SettingsFileEntry entry in file.Entries)
        {
            FindingException.Unless(entry.Line >= 1 && entry.LastLine >= entry.Line, "an entry stands on no line");
        }

        Dictionary<string, string> before = Last(file);
        SettingsFile changed = file.WithChanges([KeyValuePair.Create(Changed, Value)]);
        Dictionary<string, string> after = Last(changed);
        FindingException.Unless(after.GetValueOrDefault(Changed) == Value, $"a changed value reads as '{after.GetValueOrDefault(Changed)}'");
        before.Remove(Changed);
        after.Remove(Changed);
        FindingException.Unless(
            before.Count == after.Count && before.All(entry => after.GetValueOrDefault(entry.Key) == entry.Value),
            "a change to one key changes another");
        return file.Problems.Count == 0;
    }

    private static Dictionary<string, string> Last(SettingsFile file)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (SettingsFileEntry entry in file.Entries)
        {
            values[entry.Key] = entry.Value;
        }

        return values;
    }
}
