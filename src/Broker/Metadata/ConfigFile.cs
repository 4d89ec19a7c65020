using System.Security.Cryptography;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Metadata;

/// <summary>One of RocketMQ's JSON files, with the previous one beside it in <c>.bak</c> (RocketMQ: ConfigManager).</summary>
internal sealed class ConfigFile(string directory, string name)
{
    public const string Topics = "topics.json";
    public const string SubscriptionGroups = "subscriptionGroup.json";
    public const string ConsumerOffsets = "consumerOffset.json";
    public const string DelayOffsets = "delayOffset.json";
    public const string RequestModes = "messageRequestMode.json";

    /// <summary>The fingerprint of a file that is not there.</summary>
    public const string Absent = "absent";

    private const string BackupSuffix = ".bak";
    private const string NewSuffix = ".new";

    public string Name { get; } = name;

    public string Path { get; } = System.IO.Path.Combine(directory, name);

    /// <summary>Tells contents apart: SHA-256 of the bytes in hex, or <see cref="Absent"/>.</summary>
    public string Fingerprint() => File.Exists(Path) ? FingerprintOf(File.ReadAllBytes(Path)) : Absent;

    public static string FingerprintOf(ReadOnlySpan<byte> contents) => Convert.ToHexStringLower(SHA256.HashData(contents));

    /// <summary>
    /// Reads the file, or the one before it when this one is missing, empty or broken, as after a crash of RocketMQ, which writes
    /// over the file in place.
    /// </summary>
    /// <returns>Null when neither is there.</returns>
    /// <exception cref="MetadataException">There is a file, and none that can be read.</exception>
    public T? Read<T>(ILogger logger)
        where T : class
    {
        bool any = TryRead(Path, out T? contents, out string? problem);
        if (contents is not null)
        {
            return contents;
        }

        string backup = Path + BackupSuffix;
        bool anyBackup = TryRead(backup, out contents, out string? backupProblem);
        if (contents is not null)
        {
            Log.ConfigFileFromBackup(logger, backup, problem ?? $"{Path} is missing");
            return contents;
        }

        if (!any && !anyBackup)
        {
            return null;
        }

        throw new MetadataException(string.Join("; ", new[] { problem, backupProblem ?? $"{backup} is missing" }.OfType<string>())
            + ". Repair one of them, or move them away to begin without what they hold.");
    }

    /// <summary>Puts new contents in the file's place; until the end of this method the file is there as it was.</summary>
    public void Write(ReadOnlySpan<byte> contents)
    {
        string fresh = Path + NewSuffix;
        using (var file = new FileStream(fresh, FileMode.Create, FileAccess.Write))
        {
            file.Write(contents);
            file.Flush(flushToDisk: true);
        }

        if (File.Exists(Path))
        {
            File.Copy(Path, Path + BackupSuffix, overwrite: true);
        }

        File.Move(fresh, Path, overwrite: true);
    }

    private static bool TryRead<T>(string path, out T? contents, out string? problem)
        where T : class
    {
        contents = null;
        problem = null;
        if (!File.Exists(path))
        {
            return false;
        }

        byte[] bytes = File.ReadAllBytes(path);
        if (IsBlank(bytes))
        {
            problem = $"{path} is empty";
            return true;
        }

        try
        {
            contents = BodyCodec.Decode<T>(bytes.AsSpan());
        }
        catch (BodyFormatException error)
        {
            problem = $"{path} is broken: {error.Message}";
        }

        return true;
    }

    // A crash can leave a file of the right length that holds nothing but zeroes.
    private static bool IsBlank(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept("\0 \t\r\n"u8);
}
