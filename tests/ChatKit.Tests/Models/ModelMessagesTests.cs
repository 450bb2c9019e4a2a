using System.Text.Json.Nodes;

namespace ChatKit.Tests.Models;

/// <summary>What a model's message is in a thread.</summary>
public sealed class ModelMessagesTests
{
    [Theory]
    [InlineData("""{"content":"Hi"}""", "Hi")]
    [InlineData("""{"content":""}""", "")]
    [InlineData("""{"content":null,"refusal":"No."}""", "No.")]
    [InlineData("""{"content":null,"refusal":null,"tool_calls":[{"id":"c"}]}""")]
    [InlineData("""{}""")]
    [InlineData("""{"id":"msg_fake","content":[{"type":"output_text","text":"A"},{"type":"refusal","refusal":"B"},{"type":"image"},null]}""", "A", "B")]
    public void A14_All_parts_that_are_text_are_taken(string message, params string[] expected) =>
        Assert.Equal(expected, ModelMessages.ContentOf(JsonNode.Parse(message)!.AsObject()).Select(part => part.Text));

    [Fact]
    public void A14_Citations_become_annotations_and_a_path_of_a_file_does_not()
    {
        var message = JsonNode.Parse(
            """
            {"content":[{"type":"output_text","text":"Jane Austen.","annotations":[
              {"type":"url_citation","url":"https://e.com","title":"Emma","start_index":0,"end_index":12},
              {"type":"file_citation","file_id":"f","filename":"emma.txt","index":5},
              {"type":"container_file_citation","file_id":"f","container_id":"c","filename":"chart.png","start_index":0,"end_index":4},
              {"type":"file_citation","file_citation":{"filename":"nested.txt","start_index":0,"end_index":3}},
              {"type":"file_path","file_id":"f","index":1}]}]}
            """)!.AsObject();

        var part = Assert.Single(ModelMessages.ContentOf(message));

        Assert.Equal(
            [
                new Annotation { Source = new UrlSource { Title = "Emma", Url = "https://e.com" }, Index = 12 },
                new Annotation { Source = new FileSource { Title = "emma.txt", Filename = "emma.txt" }, Index = 5 },
                new Annotation { Source = new FileSource { Title = "chart.png", Filename = "chart.png" }, Index = 4 },
                new Annotation { Source = new FileSource { Title = "nested.txt", Filename = "nested.txt" }, Index = 3 },
            ],
            part.Annotations);
    }

    [Fact]
    public void A12_A_citation_of_a_file_without_a_name_is_left_out()
    {
        var annotations = JsonNode.Parse(
            """[{"type":"file_citation","filename":"","index":1},{"type":"file_citation","index":2},{"type":"file_citation","filename":"a","index":3},null,7,{}]""")!.AsArray();

        Assert.Equal(3, Assert.Single(ModelMessages.AnnotationsOf(annotations)).Index);
        Assert.Empty(ModelMessages.AnnotationsOf(null));
    }

    [Theory]
    [InlineData("""{"content":"Hi","annotations":[{"type":"url_citation","url_citation":{"url":"https://e.com","title":"","end_index":2}}]}""")]
    [InlineData("""{"content":[{"type":"text","text":"Hi"}],"annotations":[{"type":"url_citation","url":"https://e.com","end_index":2}]}""")]
    public void Citations_of_the_message_belong_to_its_first_part_and_a_page_without_a_title_has_its_address(string message)
    {
        var part = Assert.Single(ModelMessages.ContentOf(JsonNode.Parse(message)!.AsObject()));

        Assert.Equal(new Annotation { Source = new UrlSource { Title = "https://e.com", Url = "https://e.com" }, Index = 2 }, Assert.Single(part.Annotations));
    }
}
