/** Which pictures to tune on: scenes that the page draws, or folders of the user's. */
import { useState } from 'preact/hooks';
import { NAMED_SETTINGS, SETTINGS, type SettingName } from '../../../src/ptdpc/datasets/settings.js';
import type { DataReport, DataRequest, FolderData } from '../../protocol.js';
import { DropZone, FileButton } from '../drop-zone.js';
import { chosenFolder, droppedFolder } from '../folder.js';
import { counted, whole } from '../format.js';
import { NumberField } from './number-field.js';

export interface DataFormProps {
  readonly disabled: boolean;
  readonly onChange: (request: DataRequest | null) => void;
  /** What there is, once it was looked at. */
  readonly report: DataReport | undefined;
}

export function DataForm({ disabled, onChange, report }: DataFormProps) {
  const [kind, setKind] = useState<DataRequest['kind']>('scenes');
  const [perClass, setPerClass] = useState(25);
  const [seed, setSeed] = useState(0);
  const [setting, setSetting] = useState<SettingName>();
  const [folder, setFolder] = useState<Pick<FolderData, 'name' | 'files'>>();
  const change = (
    next: Partial<{
      kind: typeof kind;
      perClass: number;
      seed: number;
      folder: typeof folder;
      setting: typeof setting;
    }>,
  ) => {
    const now = { kind, perClass, seed, folder, setting, ...next };
    if (now.kind === 'scenes') onChange({ kind: 'scenes', perClass: now.perClass, seed: now.seed });
    else onChange(now.folder ? { kind: 'folder', ...now.folder, setting: now.setting, seed: now.seed } : null);
  };
  const chooseFolder = (chosen: typeof folder) => {
    if (!chosen || chosen.files.length === 0) return;
    setFolder(chosen);
    change({ folder: chosen });
  };
  const chooseKind = (chosen: typeof kind) => {
    setKind(chosen);
    change({ kind: chosen });
  };
  return (
    <fieldset disabled={disabled}>
      <legend>Pictures</legend>
      <p class="options">
        <Choice checked={kind === 'scenes'} onChoose={() => chooseKind('scenes')} text="Drawn scenes" />
        <Choice checked={kind === 'folder'} onChoose={() => chooseKind('folder')} text="My folders" />
      </p>
      {kind === 'folder' && (
        <DropZone
          onDrop={(data) => {
            if (!disabled) void droppedFolder(data).then(chooseFolder);
          }}
        >
          <p>
            {folder
              ? `${folder.name}: ${counted(folder.files.length, 'file')}`
              : 'Drop the folder of a data set (one folder per class, or a published layout), or'}
          </p>
          <FileButton folder disabled={disabled} onFiles={(files) => chooseFolder(chosenFolder(files))}>
            Choose a folder
          </FileButton>
          <p>
            <label>
              Data set{' '}
              <select
                value={setting ?? ''}
                onChange={({ currentTarget: { value } }) => {
                  const chosen = NAMED_SETTINGS.find((name) => name === value);
                  setSetting(chosen);
                  change({ setting: chosen });
                }}
              >
                <option value="">as its files show</option>
                {NAMED_SETTINGS.map((name) => (
                  <option key={name} value={name}>
                    {SETTINGS[name].label}
                  </option>
                ))}
              </select>
            </label>
          </p>
        </DropZone>
      )}
      <div class="numbers-row">
        {kind === 'scenes' && (
          <NumberField
            label="Scenes per emotion"
            value={perClass}
            min={1}
            max={500}
            onChange={(value = 25) => {
              setPerClass(value);
              change({ perClass: value });
            }}
          />
        )}
        <NumberField
          label={kind === 'scenes' ? 'Seed of the scenes' : 'Seed of the split'}
          value={seed}
          min={0}
          onChange={(value = 0) => {
            setSeed(value);
            change({ seed: value });
          }}
        />
      </div>
      {report && <DataSummary report={report} />}
    </fieldset>
  );
}

function Choice(props: { readonly checked: boolean; readonly onChoose: () => void; readonly text: string }) {
  return (
    <label>
      <input type="radio" name="data" checked={props.checked} onChange={props.onChoose} /> {props.text}
    </label>
  );
}

function DataSummary({ report: { name, classes, counts, origin, notes, refused } }: { readonly report: DataReport }) {
  return (
    <>
      <p class="note">
        {name}: {counted(classes.length, 'class', 'classes')}, {origin}: {whole(counts.train)} training,{' '}
        {whole(counts.val)} validation, {whole(counts.test)} test.
      </p>
      {notes.map((note) => (
        <p class="note" key={note}>
          {note}
        </p>
      ))}
      {refused.length > 0 && (
        <details>
          <summary>{counted(refused.length, 'picture')} passed over</summary>
          <ul>
            {refused.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
