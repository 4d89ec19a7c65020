using System.Text;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Timers;

/// <summary>
/// The rules by which entries may have been made: the one of now, and those of earlier settings, for an entry stays where the rule of its
/// day has put it.
/// <code>
/// family    key            value
/// progress  timers.rules   rules, a line each, the newest last
/// </code>
/// </summary>
internal sealed class TimerRules
{
    // One more with each change of the delay levels or of the roll window.
    private const int MaxRules = 16;

    private static readonly byte[] RulesKey = "timers.rules"u8.ToArray();

    private TimerRules(List<DueRule> newestFirst) => NewestFirst = newestFirst;

    /// <summary>By this one entries are made now.</summary>
    public DueRule Current => NewestFirst[0];

    public IReadOnlyList<DueRule> NewestFirst { get; }

    /// <summary>Reads the earlier rules, and writes the current one down with them.</summary>
    /// <exception cref="KeyValueStoreException">The database cannot be read or written.</exception>
    public static TimerRules Load(KeyValueStore values, KeyFamily progress, DueRule current, ILogger logger)
    {
        var texts = new List<string>();
        if (values.Get(progress, RulesKey) is { } stored)
        {
            texts.AddRange(Encoding.UTF8.GetString(stored).Split('\n'));
        }

        string text = current.ToString();
        if (texts.LastOrDefault() != text)
        {
            texts.Remove(text);
            texts.Add(text);
            if (texts.Count > MaxRules)
            {
                texts.RemoveAt(0);
            }

            values.Put(progress, RulesKey, Encoding.UTF8.GetBytes(string.Join('\n', texts)));
            if (texts.Count > 1)
            {
                Log.TimerRulesChanged(logger, text);
            }
        }

        var rules = new List<DueRule> { current };
        for (int i = texts.Count - 2; i >= 0; i--)
        {
            if (DueRule.TryParse(texts[i]) is { } earlier)
            {
                rules.Add(earlier);
            }
        }

        return new TimerRules(rules);
    }

    /// <summary>Does a record say what an entry does, by one of the rules?</summary>
    public bool Agrees(in TimerEntry entry, in StoredMessage message)
    {
        foreach (DueRule rule in NewestFirst)
        {
            if (rule.TryRead(message, out TimerEntry read) && read == entry)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Finds the entry that one of the rules has made of a record; false if it is not in the table.</summary>
    public bool TryFind(TimerTable table, in StoredMessage message, out TimerEntry entry)
    {
        foreach (DueRule rule in NewestFirst)
        {
            if (rule.TryRead(message, out entry) && table.Contains(entry))
            {
                return true;
            }
        }

        entry = default;
        return false;
    }
}
