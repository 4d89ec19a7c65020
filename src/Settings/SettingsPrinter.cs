using System.Text;
using System.Text.Json;

namespace GrayMQ.Settings;

/// <summary>The three ways in which effective settings are written down.</summary>
internal static class SettingsPrinter
{
    /// <summary>Longer assignments push their own comment to the right and nobody else's. In characters.</summary>
    private const int MaxAlignedWidth = 60;

    public static void WriteTable(EffectiveSettings settings, TextWriter writer)
    {
        (string Assignment, EffectiveSetting Setting)[] lines =
            [.. settings.All.Select(setting => ($"{setting.Key} = {setting.Text}".TrimEnd(), setting))];
        int width = lines
            .Select(line => line.Assignment.Length)
            .Where(length => length <= MaxAlignedWidth)
            .DefaultIfEmpty()
            .Max();
        foreach ((string assignment, EffectiveSetting setting) in lines)
        {
            writer.Write(assignment.PadRight(width));
            writer.Write("  # ");
            writer.Write(setting.Place.ToString());
            if (setting.Place.Source != SettingSource.Default)
            {
                writer.Write(", default ");
                writer.Write(setting.DefaultText.Length == 0 ? "empty" : setting.DefaultText);
            }
            writer.Write('\n');
        }
    }

    public static void WriteJson(EffectiveSettings settings, Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("server", settings.Server);
        json.WriteStartArray("settings");
        foreach (EffectiveSetting setting in settings.All)
        {
            WriteSetting(json, setting);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static string ToProperties(EffectiveSettings settings)
    {
        var text = new StringBuilder();
        foreach (EffectiveSetting setting in settings.All)
        {
            text.Append(setting.Key).Append('=').Append(PropertiesWriter.EscapeValue(setting.Text)).Append('\n');
        }
        return text.ToString();
    }

    private static void WriteSetting(Utf8JsonWriter json, EffectiveSetting setting)
    {
        SettingDefinition definition = setting.Definition;
        json.WriteStartObject();
        json.WriteString("key", setting.Key);
        WriteValue(json, "value", setting.Value, setting.Text, definition.Secret);
        WriteValue(json, "default", setting.Default, setting.DefaultText, definition.Secret);
        json.WriteString("type", definition.TypeName);
        json.WriteString("source", setting.Place.Source.ToString().ToLowerInvariant());
        json.WriteString("place", setting.Place.ToString());
        if (definition.Unit is not null)
        {
            json.WriteString("unit", definition.Unit);
        }
        json.WriteString("expected", definition.Expectation);
        json.WriteBoolean("changeableWhileRunning", definition.ChangeableWhileRunning);
        json.WriteString("description", definition.Description);
        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, string name, object value, string text, bool secret)
    {
        switch (value)
        {
            case bool truth when !secret:
                json.WriteBoolean(name, truth);
                break;
            case int number when !secret:
                json.WriteNumber(name, number);
                break;
            case long number when !secret:
                json.WriteNumber(name, number);
                break;
            case double number when !secret:
                json.WriteNumber(name, number);
                break;
            case IReadOnlyList<string> list when !secret:
                json.WriteStartArray(name);
                foreach (string item in list)
                {
                    json.WriteStringValue(item);
                }
                json.WriteEndArray();
                break;
            default:
                json.WriteString(name, text);
                break;
        }
    }
}
