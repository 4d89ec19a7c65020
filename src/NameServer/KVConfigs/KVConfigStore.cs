using System.Text.Json;
using System.Text.Json.Serialization;

namespace GrayMQ.NameServer.KVConfigs;

/// <summary>
/// Values by namespace and key, kept in RocketMQ's kvConfig.json. A change counts when the file has it: the file is
/// replaced whole, so that a crash leaves the former one or the new one.
/// </summary>
internal sealed partial class KVConfigStore
{
    private readonly string _path;
    private readonly Lock _lock = new();
    private Dictionary<string, Dictionary<string, string>> _namespaces;
    private long _version;

    private KVConfigStore(string path, Dictionary<string, Dictionary<string, string>> namespaces)
    {
        _path = path;
        _namespaces = namespaces;
    }

    /// <summary>Goes up with every change, after it can be read.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>Opens the store; a file that is not there is an empty store, and is made by the first change.</summary>
    /// <exception cref="InvalidDataException">The file is not what was written: going on would overwrite it.</exception>
    public static KVConfigStore Open(string path)
    {
        if (!File.Exists(path))
        {
            return new KVConfigStore(path, []);
        }

        try
        {
            KVConfigFile? file = JsonSerializer.Deserialize(File.ReadAllBytes(path), KVConfigJsonContext.Default.KVConfigFile);
            return new KVConfigStore(path, file?.ConfigTable ?? []);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is no key-value configuration: {e.Message} Repair it or move it away.", e);
        }
    }

    /// <summary>The value, or null when there is none.</summary>
    public string? Find(string space, string key)
    {
        lock (_lock)
        {
            return _namespaces.TryGetValue(space, out Dictionary<string, string>? values) ? values.GetValueOrDefault(key) : null;
        }
    }

    /// <summary>A copy of a namespace's values, or null when there is no such namespace.</summary>
    public Dictionary<string, string>? List(string space)
    {
        lock (_lock)
        {
            return _namespaces.TryGetValue(space, out Dictionary<string, string>? values) ? new(values) : null;
        }
    }

    /// <summary>Sets a value.</summary>
    /// <exception cref="IOException">The file cannot be written; nothing has changed.</exception>
    /// <exception cref="InvalidOperationException">There are too many values.</exception>
    public void Put(string space, string key, string value) => Change(namespaces =>
    {
        if (!namespaces.TryGetValue(space, out Dictionary<string, string>? values))
        {
            namespaces[space] = values = [];
        }

        values[key] = value;
        if (namespaces.Values.Sum(all => all.Count) > NameServerLimits.MaxKVConfigs)
        {
            throw new InvalidOperationException($"{NameServerLimits.MaxKVConfigs} values are configured, which is the limit");
        }

        return true;
    });

    /// <summary>Removes a value; the namespace stays. False when there was none.</summary>
    /// <exception cref="IOException">The file cannot be written; nothing has changed.</exception>
    public bool Delete(string space, string key) =>
        Change(namespaces => namespaces.TryGetValue(space, out Dictionary<string, string>? values) && values.Remove(key));

    private bool Change(Func<Dictionary<string, Dictionary<string, string>>, bool> change)
    {
        lock (_lock)
        {
            Dictionary<string, Dictionary<string, string>> changed =
                _namespaces.ToDictionary(pair => pair.Key, pair => new Dictionary<string, string>(pair.Value));
            if (!change(changed))
            {
                return false;
            }

            Save(changed);
            _namespaces = changed;
            _version++;
            return true;
        }
    }

    private void Save(Dictionary<string, Dictionary<string, string>> namespaces) =>
        JsonFile.Replace(_path, new KVConfigFile { ConfigTable = namespaces }, KVConfigJsonContext.Default.KVConfigFile);

    /// <summary>RocketMQ: KVConfigSerializeWrapper.</summary>
    internal sealed record KVConfigFile
    {
        public Dictionary<string, Dictionary<string, string>>? ConfigTable { get; set; }
    }

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(KVConfigFile))]
    internal sealed partial class KVConfigJsonContext : JsonSerializerContext;
}
