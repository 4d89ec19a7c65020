using System.Formats.Tar;
using System.IO.Compression;
using System.Reflection;
using System.Text.Json;

namespace GrayMQ.Fuzz.Seeds;

/// <summary>What Apache RocketMQ wrote: frames, JSON bodies and stores.</summary>
internal static class Recorded
{
    private static readonly Assembly Resources = typeof(Recorded).Assembly;

    /// <summary>Whole frames; those of binary headers after those of JSON headers.</summary>
    public static IEnumerable<byte[]> Frames()
    {
        foreach (string name in new[] { "frames/json-headers.jsonl", "frames/binary-headers.jsonl" })
        {
            using var reader = new StreamReader(Open(name));
            while (reader.ReadLine() is { } line)
            {
                using var frame = JsonDocument.Parse(line);
                yield return frame.RootElement.GetProperty("frame").GetBytesFromBase64();
            }
        }
    }

    /// <summary>JSON bodies with the names of their types.</summary>
    public static IEnumerable<(string Type, byte[] Json)> Bodies()
    {
        foreach (string name in Resources.GetManifestResourceNames().Where(name => name.StartsWith("bodies/", StringComparison.Ordinal)))
        {
            using Stream stream = Open(name);
            using var json = new MemoryStream();
            stream.CopyTo(json);
            yield return (name["bodies/".Length..name.IndexOf('.', StringComparison.Ordinal)], json.ToArray());
        }
    }

    /// <summary>The files of a store by their paths below it.</summary>
    public static Dictionary<string, byte[]> Store(string name)
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        using Stream stream = Open($"stores/{name}.tar.gz");
        using var plain = new GZipStream(stream, CompressionMode.Decompress);
        using var tar = new TarReader(plain);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.DataStream is not null)
            {
                using var content = new MemoryStream();
                entry.DataStream.CopyTo(content);
                files[entry.Name["store/".Length..]] = content.ToArray();
            }
            else if (entry.EntryType == TarEntryType.RegularFile)
            {
                files[entry.Name["store/".Length..]] = [];
            }
        }

        return files;
    }

    private static Stream Open(string name) =>
        Resources.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not embedded");
}
