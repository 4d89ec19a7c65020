using System.Text.Json;
using System.Text.Json.Serialization;

namespace GrayMQ.Cli.Lifecycle;

/// <summary>
/// How far a rolling restart has come, in a file: what was begun and stopped goes on where it stood. The file goes when all is done.
/// </summary>
internal sealed partial class RestartProgress
{
    private readonly string _path;
    private readonly State _state;

    private RestartProgress(string path, State state)
    {
        _path = path;
        _state = state;
    }

    /// <summary>Brokers that have been restarted.</summary>
    public IReadOnlyCollection<string> Done => _state.Done;

    /// <summary>Reads the file, if there is one.</summary>
    /// <exception cref="InvalidDataException">It is about another cluster or another command, or cannot be read.</exception>
    public static RestartProgress Open(string path, string cluster, string command)
    {
        if (!File.Exists(path))
        {
            return new RestartProgress(path, new State { Cluster = cluster, Command = command });
        }

        State? found;
        try
        {
            found = JsonSerializer.Deserialize(File.ReadAllBytes(path), ProgressJson.Default.State);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is no record of a rolling restart: {e.Message}", e);
        }

        return found is not null && found.Cluster == cluster && found.Command == command
            ? new RestartProgress(path, found)
            : throw new InvalidDataException(
                $"{path} is of another rolling restart that was not finished (cluster {found?.Cluster}, command {found?.Command}): "
                + "finish that one, or remove the file");
    }

    /// <summary>A broker has been restarted; any thread.</summary>
    public void Add(string broker)
    {
        lock (_state)
        {
            _state.Done.Add(broker);
            string temporary = _path + ".tmp";
            File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(_state, ProgressJson.Default.State));
            File.Move(temporary, _path, overwrite: true);
        }
    }

    /// <summary>All is done.</summary>
    public void Finish() => File.Delete(_path);

    internal sealed class State
    {
        public string Cluster { get; set; } = "";

        public string Command { get; set; } = "";

        public List<string> Done { get; set; } = [];
    }

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
    [JsonSerializable(typeof(State))]
    internal sealed partial class ProgressJson : JsonSerializerContext;
}
