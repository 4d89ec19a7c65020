using System.Text;

namespace GrayMQ.Settings;

/// <summary>Changes values in the text of a settings file and leaves everything else as a person wrote it.</summary>
internal static class SettingsFileEditor
{
    private static readonly string[] LineTerminators = ["\r\n", "\n", "\r"];

    public static string Apply(
        string text, IReadOnlyList<SettingsFileEntry> entries, IEnumerable<KeyValuePair<string, string>> changes)
    {
        var replaced = new Dictionary<int, (int LastLine, string Assignment)>();
        var added = new StringBuilder();
        foreach ((string key, string value) in changes)
        {
            string assignment = $"{PropertiesWriter.EscapeKey(key)}={PropertiesWriter.EscapeValue(value)}";
            if (entries.LastOrDefault(entry => entry.Key == key) is { } entry)
            {
                replaced[entry.Line] = (entry.LastLine, assignment);
            }
            else
            {
                added.Append(assignment).Append('\n');
            }
        }
        var edited = new StringBuilder(text.Length + added.Length);
        string[] lines = text.Split(LineTerminators, StringSplitOptions.None);
        int count = lines[^1].Length == 0 ? lines.Length - 1 : lines.Length;
        int resumeAt = 1;
        for (int number = 1; number <= count; number++)
        {
            if (replaced.TryGetValue(number, out (int LastLine, string Assignment) replacement))
            {
                edited.Append(replacement.Assignment).Append('\n');
                resumeAt = replacement.LastLine + 1;
            }
            else if (number >= resumeAt)
            {
                edited.Append(lines[number - 1]).Append('\n');
            }
        }
        if (added.Length > 0 && count > 0 && lines[count - 1].EndsWith('\\'))
        {
            edited.Append('\n'); // the last line must not continue into the first new one
        }
        return edited.Append(added).ToString();
    }
}
