using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace GrayMQ.NameServer;

/// <summary>Files that hold one JSON value, and are written as a whole.</summary>
internal static class JsonFile
{
    /// <summary>
    /// Puts new contents in the file's place, on disk before they are: after a failure of the machine there is the one or the other. Makes the
    /// folder if need be. Throws IOException and UnauthorizedAccessException.
    /// </summary>
    public static void Replace<T>(string path, T contents, JsonTypeInfo<T> type)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        string temporary = path + ".tmp";
        using (FileStream file = File.Create(temporary))
        {
            JsonSerializer.Serialize(file, contents, type);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
