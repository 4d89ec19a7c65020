using System.Buffers;
using System.Text;
using System.Text.Json;
using GrayMQ.Gray;
using GrayMQ.NameServer.Gray.Databases;

namespace GrayMQ.NameServer.Gray.States;

/// <summary>The gray state of one version, as this name server knows it: what brokers get, and what is under way. Never changes.</summary>
internal sealed class GrayView
{
    private readonly Dictionary<string, GrayTopic> _topics;
    private readonly Dictionary<string, GrayRelease> _releases;
    private readonly Dictionary<string, GrayOngoing> _changes;

    private GrayView(
        GrayVersion version,
        Dictionary<string, GrayTopic> topics,
        Dictionary<string, GrayRelease> releases,
        Dictionary<string, GrayOngoing> changes,
        IReadOnlyList<string> brokers)
    {
        _topics = topics;
        _releases = releases;
        _changes = changes;
        Brokers = brokers;
        Snapshot = new GraySnapshot
        {
            Version = version,
            Topics = [.. topics.Values.OrderBy(topic => topic.Name, StringComparer.Ordinal)],
            Releases = [.. releases.Values.OrderBy(release => release.Group, StringComparer.Ordinal).ThenBy(release => release.Kind)],
        };
        Encoded = GrayJson.Encode(Snapshot);
    }

    public GrayVersion Version => Snapshot.Version;

    /// <summary>What brokers and clients get.</summary>
    public GraySnapshot Snapshot { get; }

    /// <summary>The snapshot as JSON.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>Changes that have begun and not ended.</summary>
    public IReadOnlyCollection<GrayOngoing> Changes => _changes.Values;

    /// <summary>Names of the brokers that ever acted on the state, and were not given up.</summary>
    public IReadOnlyList<string> Brokers { get; }

    public GrayTopic? FindTopic(string name) => _topics.GetValueOrDefault(name);

    /// <summary>The last release of a group, open or closed.</summary>
    public GrayRelease? FindRelease(string group, GrayReleaseKind kind) => _releases.GetValueOrDefault(GrayNames.Release(group, kind));

    public GrayOngoing? FindChange(string name) => _changes.GetValueOrDefault(name);

    /// <exception cref="GrayDatabaseException">A row is not what this server writes.</exception>
    public static GrayView Of(GrayContents contents)
    {
        var topics = new Dictionary<string, GrayTopic>(StringComparer.Ordinal);
        var releases = new Dictionary<string, GrayRelease>(StringComparer.Ordinal);
        var changes = new Dictionary<string, GrayOngoing>(StringComparer.Ordinal);
        foreach (GrayRow row in contents.Rows)
        {
            try
            {
                switch (row.Kind)
                {
                    case GrayRowKind.Topic:
                        topics[row.Name] = GrayJson.DecodeTopic(Bytes(row.Value));
                        break;
                    case GrayRowKind.Release:
                        releases[row.Name] = GrayJson.DecodeRelease(Bytes(row.Value));
                        break;
                    default:
                        GrayOngoingRow ongoing = GrayOngoingRow.Read(row.Value);
                        changes[row.Name] = new GrayOngoing(
                            row.Name,
                            ongoing.Action,
                            ongoing.Since,
                            ongoing.StartedMs,
                            contents.Parts
                                .Where(part => part.Change == row.Name && part.Since == ongoing.Since)
                                .ToDictionary(part => part.Broker, part => part.Done, StringComparer.Ordinal));
                        break;
                }
            }
            catch (Exception e) when (e is GrayFormatException or JsonException)
            {
                throw new GrayDatabaseException($"row {row.Kind} {row.Name} of the gray state cannot be read: {e.Message}", e);
            }
        }

        return new GrayView(contents.Version, topics, releases, changes, contents.Brokers);
    }

    private static ReadOnlySequence<byte> Bytes(string text) => new(Encoding.UTF8.GetBytes(text));
}
