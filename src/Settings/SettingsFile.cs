using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace GrayMQ.Settings;

/// <summary>A RocketMQ broker.conf or namesrv.conf: Java .properties, read as UTF-8 or, where it is none, as Latin-1.</summary>
public sealed class SettingsFile
{
    /// <summary>A larger file is not a settings file. In bytes.</summary>
    public const int MaxFileBytes = 1 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private SettingsFile(string path, string text, List<SettingsFileEntry> entries, List<SettingProblem> problems)
    {
        Path = path;
        Text = text;
        Entries = entries;
        Problems = problems;
    }

    /// <summary>The path as it was given; names the file in messages.</summary>
    public string Path { get; }

    /// <summary>The entries in the order of the file; of equal keys the last one counts.</summary>
    public IReadOnlyList<SettingsFileEntry> Entries { get; }

    /// <summary>Lines that could not be read.</summary>
    public IReadOnlyList<SettingProblem> Problems { get; }

    internal string Text { get; }

    /// <summary>Reads a file. A file that cannot be opened is a file with one problem that says why.</summary>
    public static SettingsFile Read(string path)
    {
        if (!TryReadBytes(path, out byte[]? bytes, out string? reason))
        {
            return new SettingsFile(path, "", [], [new SettingProblem(null, null, reason, SettingPlace.File(path, 0))]);
        }
        return Parse(path, Decode(bytes));
    }

    /// <summary>Reads the text of a file, or of a request that carries one (RocketMQ: UPDATE_BROKER_CONFIG).</summary>
    /// <param name="path">What to call it in messages.</param>
    /// <param name="text">Its content.</param>
    public static SettingsFile Parse(string path, string text)
    {
        var unread = new List<(int Line, string Expectation)>();
        List<SettingsFileEntry> entries = PropertiesReader.Read(text, unread);
        List<SettingProblem> problems = unread.ConvertAll(
            problem => new SettingProblem(null, null, problem.Expectation, SettingPlace.File(path, problem.Line)));
        return new SettingsFile(path, text, entries, problems);
    }

    /// <summary>
    /// The file with changed values: comments, order and all other lines stay, a key that is there keeps its line (of
    /// repeated ones the last), a new key goes to the end.
    /// </summary>
    public SettingsFile WithChanges(IEnumerable<KeyValuePair<string, string>> changes) =>
        Parse(Path, SettingsFileEditor.Apply(Text, Entries, changes));

    /// <summary>Writes the file so that a crash leaves either the former or the new content.</summary>
    public void Save()
    {
        string temporary = Path + ".new";
        using (FileStream file = File.Create(temporary))
        {
            file.Write(StrictUtf8.GetBytes(Text));
            file.Flush(flushToDisk: true);
        }
        if (!OperatingSystem.IsWindows() && File.Exists(Path))
        {
            File.SetUnixFileMode(temporary, File.GetUnixFileMode(Path));
        }
        File.Move(temporary, Path, overwrite: true);
    }

    private static string Decode(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> byteOrderMark = [0xEF, 0xBB, 0xBF];
        if (bytes.StartsWith(byteOrderMark))
        {
            bytes = bytes[byteOrderMark.Length..];
        }
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(bytes);
        }
    }

    private static bool TryReadBytes(
        string path, [NotNullWhen(true)] out byte[]? bytes, [NotNullWhen(false)] out string? reason)
    {
        bytes = null;
        reason = null;
        try
        {
            using FileStream file = File.OpenRead(path);
            var buffer = new byte[MaxFileBytes + 1];
            int length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (length > MaxFileBytes)
            {
                reason = $"cannot read: larger than {MaxFileBytes} bytes";
                return false;
            }
            bytes = buffer[..length];
            return true;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            reason = "cannot read: there is no such file";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            reason = $"cannot read: {error.Message}";
        }
        return false;
    }
}
